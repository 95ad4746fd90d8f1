import { describe, expect, test } from 'vitest';
import { parseBinary } from '../wire/wire';
import type { Binary } from '../wire/wire';
import { chunkSize, MAX_AGE, Uplink } from './uplink';
import type { OutFrame, UplinkTrack } from './uplink';

const SIZE = 1_200;

function frame(key: boolean, size = 100, timestamp = 0): OutFrame {
  return { data: new Uint8Array(size), key, config: false, timestamp };
}

function open(uplink: Uplink, id: string, cls: 'audio' | 'video' | 'screen', alias: number): UplinkTrack {
  const track = uplink.add(id, cls);
  track.alias = alias;
  return track;
}

/** Everything that may go now, as parsed messages. */
function drain(uplink: Uplink, now: number, most = 1_000): Binary[] {
  const out: Binary[] = uplink.expire(now).map(parseBinary);
  while (out.length < most) {
    const message = uplink.next(SIZE);
    if (!message) break;
    out.push(parseBinary(message));
  }
  return out;
}

function brief(messages: Binary[]): string[] {
  return messages.map((m) => (m.kind === 'chunk' ? `${m.alias}:${m.group}.${m.frame}@${m.offset}${m.last ? '!' : ''}` : m.kind));
}

describe('frames to chunks', () => {
  test('a frame goes in pieces of the chunk size, with its length and the low bits of its timestamp', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 7);
    camera.push(frame(true, 3_000, 2 ** 32 + 5), 0);
    const out = drain(uplink, 0);
    expect(brief(out)).toEqual(['7:0.0@0', '7:0.0@1200', '7:0.0@2400!']);
    expect(out[0]).toMatchObject({ key: true, length: 3_000, timestamp: 5 });
  });

  test('numbers: frames within a group, a new group at each key frame; every audio packet a group', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 7);
    const mic = open(uplink, 'mic', 'audio', 8);
    for (const key of [true, false, true]) camera.push(frame(key), 0);
    for (let i = 0; i < 2; i++) mic.push({ ...frame(true), level: 23, voice: true }, 0);
    const out = drain(uplink, 0);
    expect(brief(out)).toEqual(['8:0.0@0!', '8:1.0@0!', '7:0.0@0!', '7:0.1@0!', '7:1.0@0!']);
    expect(out[0]).toMatchObject({ key: true, level: 23, voice: true });
  });

  test.each([
    [0, 4_096],
    [12_500, 1_200],
    [250_000, 3_728],
    [6_250_000, 16_384],
  ])('at %i bytes a second a chunk has %i bytes', (rate, size) => {
    expect(chunkSize(rate)).toBe(size);
    expect(size % 16).toBe(0);
  });
});

describe('order', () => {
  test('audio goes before video that came earlier', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 7);
    const mic = open(uplink, 'mic', 'audio', 8);
    camera.push(frame(true, 5_000), 0);
    expect(brief(drain(uplink, 0, 1))).toEqual(['7:0.0@0']);
    mic.push(frame(true), 1);
    expect(brief(drain(uplink, 1))).toEqual(['8:0.0@0!', '7:0.0@1200', '7:0.0@2400', '7:0.0@3600', '7:0.0@4800!']);
  });

  test('two video tracks take turns, chunk by chunk', () => {
    const uplink = new Uplink();
    open(uplink, 'camera', 'video', 7).push(frame(true, 2_400), 0);
    open(uplink, 'screen', 'screen', 9).push(frame(true, 2_400), 0);
    expect(brief(drain(uplink, 0)).map((s) => s[0])).toEqual(['7', '9', '7', '9']);
  });

  test('a track without an alias waits', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 0);
    camera.push(frame(true), 0);
    expect(drain(uplink, 10)).toEqual([]);
    camera.alias = 7;
    expect(brief(drain(uplink, 20))).toEqual(['7:0.0@0!']);
  });
});

describe('what waits too long', () => {
  test('audio is dropped packet by packet, oldest first', () => {
    const uplink = new Uplink();
    const mic = open(uplink, 'mic', 'audio', 8);
    mic.push(frame(true), 0);
    mic.push(frame(true), 200);
    expect(brief(drain(uplink, 301))).toEqual(['8:1.0@0!']);
    expect(uplink.drops).toEqual({ age: 1 });
  });

  test('video: the group is given up in the middle of a frame, once, and deltas are refused until a key frame', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 7);
    camera.push(frame(true), 0);
    drain(uplink, 0);
    camera.push(frame(false, 3_000), 10);
    expect(brief(drain(uplink, 10, 1))).toEqual(['7:0.1@0']);
    camera.push(frame(false), 40);
    const late = drain(uplink, 11 + MAX_AGE.video);
    expect(late).toEqual([{ kind: 'abandon', reason: 1, alias: 7, group: 0, frame: 1 }]);
    expect(camera.gated).toBe(true);
    expect(camera.push(frame(false), 500)).toBe(false);
    expect(drain(uplink, 500)).toEqual([]);
    camera.push(frame(true), 510);
    expect(brief(drain(uplink, 510))).toEqual(['7:1.0@0!']);
    expect(uplink.drops).toEqual({ age: 1, gate: 2 });
  });

  test('a group of which nothing went out is given up without a word', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 0);
    camera.push(frame(true), 0);
    drain(uplink, 2_000);
    camera.alias = 7;
    expect(drain(uplink, 2_000)).toEqual([]);
    expect(camera.gated).toBe(true);
  });

  test('a key frame that waits already is kept when the group before it is given up', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 7);
    camera.push(frame(true), 0);
    drain(uplink, 0);
    camera.push(frame(false), 10);
    camera.push(frame(true), 300);
    expect(brief(drain(uplink, 500))).toEqual(['abandon', '7:1.0@0!']);
    expect(camera.gated).toBe(false);
  });

  test('a screen may wait a second', () => {
    const uplink = new Uplink();
    const screen = open(uplink, 'screen', 'screen', 9);
    screen.push(frame(true), 0);
    drain(uplink, 0);
    screen.push(frame(false), 0);
    expect(brief(drain(uplink, 900))).toEqual(['9:0.1@0!']);
  });
});

describe('bounds', () => {
  test('a queue that is not served never grows past 2 MiB', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 7);
    let taken = 0;
    for (let i = 0; i < 100; i++) if (camera.push(frame(true, 100_000), 0)) taken += 100_000;
    expect(taken).toBeLessThanOrEqual(2 * 1_048_576);
    expect(uplink.drops['bytes']).toBeGreaterThan(70);
    expect(camera.push(frame(false, 10), 0)).toBe(false);
  });

  test('after a reconnect what waited is gone, and group numbers go on', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 7);
    camera.push(frame(true), 0);
    drain(uplink, 0);
    camera.push(frame(false), 1);
    uplink.reset();
    camera.alias = 12;
    expect(camera.push(frame(false), 2)).toBe(false);
    camera.push(frame(true), 3);
    expect(brief(drain(uplink, 3))).toEqual(['12:1.0@0!']);
  });

  test('mute in the middle of a frame sends Abandon', () => {
    const uplink = new Uplink();
    const camera = open(uplink, 'camera', 'video', 7);
    camera.push(frame(true, 3_000), 0);
    drain(uplink, 0, 1);
    expect(parseBinary(camera.hush()!)).toEqual({ kind: 'abandon', reason: 4, alias: 7, group: 0, frame: 0 });
    expect(drain(uplink, 1)).toEqual([]);
  });
});

describe('frames of a file, as they are', () => {
  test('wait for a second, and count as what no encoder can make less of', () => {
    const uplink = new Uplink();
    const [picture, sound] = [uplink.add('file', 'video', '', true), uplink.add('file-audio', 'audio', '', true)];
    [picture.alias, sound.alias] = [7, 8];
    for (const track of [picture, sound]) track.push(frame(true), 0);
    expect(brief(drain(uplink, 900))).toEqual(['8:0.0@0!', '7:0.0@0!']);
    expect(uplink.sent).toMatchObject({ video: 0 });
    expect(uplink.sent.fixed).toBeGreaterThan(200);
    picture.push(frame(false), 1_000);
    sound.push(frame(true), 1_000);
    expect(brief(drain(uplink, 2_001))).toEqual(['abandon']);
    expect(uplink.drops).toEqual({ age: 2 });
  });
});
