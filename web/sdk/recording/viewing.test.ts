import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeNetwork, JOINED } from '../session/fake';
import { encodeObject } from '../wire/wire';
import type { FromViewer } from './bridge';
import { Viewing } from './viewing';

const ID = '20261129-101500-kitchen-0f3a9c21';
const FILES = [
  { object: `${ID}.webm`, name: `${ID}.webm`, size: 1_000, mime: 'video/webm', part: 1, parts: 2 },
  { object: `${ID}.2.webm`, name: `${ID}.2.webm`, size: 500, mime: 'video/webm', part: 2, parts: 2 },
];

let net: FakeNetwork;
let viewing: Viewing;
let posted: FromViewer[];
let over: number;

beforeEach(() => {
  vi.useFakeTimers();
  net = new FakeNetwork();
  posted = [];
  over = 0;
  viewing = new Viewing({ do: 'open', url: 'ws://relay/ws', id: ID, token: 't' }, net.make, (m) => posted.push(m), () => over++);
  vi.advanceTimersByTime(1);
});

afterEach(() => {
  viewing.handle({ do: 'close' });
  vi.useRealTimers();
});

/** The server's side of a join; streams are numbered anew in each session. */
function enter(first: number): void {
  net.last.open();
  net.last.say({ ...JOINED, room: `recordings/${ID}`, resume: `r-${first}` });
  FILES.forEach((file, i) => net.last.say({ type: 'offered', stream: first + i, ...file }));
}

const states = (): string[] => posted.filter((m) => m.is === 'state').map(({ state }) => state);

const deliver = (stream: number, offset: number, payload: Uint8Array): void =>
  net.last.deliver(encodeObject({ last: false, turn: 1, stream, offset, payload }));

test('it joins the recording, tells its files once, and reads them', () => {
  enter(5);
  const join = net.last.control.find((m) => m.type === 'join');
  expect(join).toMatchObject({ room: `recordings/${ID}`, token: 't', publish: [], subscribe: [] });
  const files = FILES.map(({ name, size, mime: type }) => ({ name, size, type }));
  expect(posted).toEqual([{ is: 'resume', token: 'r-5' }, { is: 'files', files }, { is: 'state', state: 'online' }]);
  viewing.handle({ do: 'read', call: 1, file: 1, start: 0, end: 3 });
  expect(net.last.control.at(-1)).toMatchObject({ type: 'accept', stream: 6, offset: 0 });
  deliver(6, 0, Uint8Array.of(1, 2, 3, 4));
  expect(posted.at(-1)).toEqual({ is: 'bytes', call: 1, bytes: Uint8Array.of(1, 2, 3) });
});

test('after a cut it goes on where it was, under the new numbers', () => {
  enter(5);
  viewing.handle({ do: 'read', call: 1, file: 0, start: 0, end: 3 });
  deliver(5, 0, Uint8Array.of(1, 2));
  net.last.drop(1006);
  expect(states().at(-1)).toBe('reconnecting');
  vi.advanceTimersByTime(10);
  enter(1);
  expect(states().at(-1)).toBe('online');
  expect(net.last.control.find((m) => m.type === 'join')).toMatchObject({ room: `recordings/${ID}`, resume: 'r-5' });
  expect(net.last.control.at(-1)).toMatchObject({ type: 'accept', stream: 1, offset: 2 });
  deliver(1, 2, Uint8Array.of(3));
  expect(posted.at(-1)).toEqual({ is: 'bytes', call: 1, bytes: Uint8Array.of(1, 2, 3) });
  expect(posted.filter((m) => m.is === 'files').length).toBe(1);
});

test('a recording that is not there is told by its name, and reads fail with it', () => {
  net.last.open();
  net.last.drop(4412, 'no-such-recording: there is no such recording');
  expect(posted.at(-1)).toEqual({ is: 'state', state: 'closed', reason: { code: 'no-such-recording', text: 'there is no such recording' } });
  viewing.handle({ do: 'read', call: 1, file: 0, start: 0, end: 3 });
  expect(posted.at(-1)).toMatchObject({ is: 'failed', call: 1 });
});

test('cancel by the relay fails that file alone', () => {
  enter(5);
  viewing.handle({ do: 'read', call: 1, file: 0, start: 0, end: 3 });
  viewing.handle({ do: 'read', call: 2, file: 1, start: 0, end: 1 });
  net.last.say({ type: 'cancel', stream: 5, reason: 'failed' });
  expect(posted.at(-1)).toMatchObject({ is: 'failed', call: 1, code: 'failed' });
  deliver(6, 0, Uint8Array.of(9));
  expect(posted.at(-1)).toMatchObject({ is: 'bytes', call: 2 });
});

test('close() says bye, and then the worker may end', async () => {
  enter(5);
  const { last } = net;
  viewing.handle({ do: 'close' });
  expect(last.types.at(-1)).toBe('bye');
  last.drop(1000);
  await vi.advanceTimersByTimeAsync(0);
  expect(over).toBe(1);
});
