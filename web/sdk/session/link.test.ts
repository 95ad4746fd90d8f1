import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServerMessage } from '../wire/messages';
import { encodeAck, encodeChunk } from '../wire/wire';
import { FakeNetwork } from './fake';
import type { FakeSocket } from './fake';
import { Link } from './link';
import type { Media } from './link';

let socket: FakeSocket;
let link: Link;
let control: ServerMessage[];
let media: Media[];
let closed: [number, string][];

beforeEach(() => {
  vi.useFakeTimers();
  const network = new FakeNetwork();
  control = [];
  media = [];
  closed = [];
  const handler = {
    opened: () => {},
    control: (_: Link, m: ServerMessage) => control.push(m),
    media: (_: Link, m: Media) => media.push(m),
    acked: () => {},
    closed: (_: Link, code: number, reason: string) => closed.push([code, reason]),
  };
  link = new Link('ws://relay/ws', network.make, handler, () => 0);
  socket = network.last;
  socket.open();
});

afterEach(() => {
  vi.useRealTimers();
});

function chunk(size: number): Uint8Array {
  const head = { key: true, last: true, config: false, sync: false, encrypted: false, temporal: 0, alias: 1, group: 1, frame: 0, offset: 0, timestamp: 0 };
  return encodeChunk(head, new Uint8Array(size), 0);
}

test('bytes of text are counted as UTF-8, and of everything that came, understood or not', () => {
  const text = '{"type":"notice","text":"Küche"}';
  socket.deliver(text);
  socket.deliver('not JSON');
  socket.deliver(chunk(100));
  socket.deliver(new Uint8Array([0x1f, 0, 0]));
  socket.deliver(encodeAck({ backlog: 0, bytes: 0, time: 1 }));
  socket.deliver(chunk(1));
  expect(socket.acks.at(-1)?.bytes).toBe(text.length + 1 + 8 + 120 + 3 + 20 + 21);
});

test('what breaks the rules is counted and ignored; the next message is read', () => {
  const bad = ['', '[]', '{"type":"joined","self":7}', '{"type":"trackAdded","member":"m","track":null}'];
  for (const text of bad) socket.deliver(text);
  for (const data of [[0x10], [0x11, 1, 2], [0x12]]) socket.deliver(new Uint8Array(data));
  expect(link.faults).toBe(7);
  expect(closed).toEqual([]);
  socket.deliver('{"type":"notice","code":"x"}');
  socket.deliver(chunk(10));
  expect(control.length).toBe(1);
  expect(media.length).toBe(1);
});

test('a binary message of another version ends the session by name', () => {
  socket.deliver(new Uint8Array([0x20, 0, 0]));
  expect(socket.closedWith).toBe(4405);
  expect(closed[0]?.[0]).toBe(4405);
  expect(closed[0]?.[1]).toMatch(/^unsupported-version: /);
});

test('room is what neither the browser holds back nor the relay has not acknowledged', () => {
  const { window } = link.rate;
  link.sendBinary(new Uint8Array(500));
  expect(link.room).toBe(window - 500);
  socket.bufferedAmount = 900;
  expect(link.room).toBe(window - 900);
  socket.bufferedAmount = 0;
  socket.ack();
  expect(link.room).toBe(link.rate.window);
});

test('nothing is heard of a link that was given up', () => {
  link.discard();
  socket.deliver('{"type":"notice","code":"x"}');
  socket.drop(1006);
  expect(control).toEqual([]);
  expect(closed).toEqual([]);
});
