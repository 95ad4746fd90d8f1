import { describe, expect, test } from 'vitest';
import { encodeChunk, MAX_FRAME, parseBinary } from '../wire/wire';
import type { Chunk } from '../wire/wire';
import { Reassembly } from './reassembly';

interface Part {
  group?: number;
  frame?: number;
  offset?: number;
  last?: boolean;
  size?: number;
  length?: number;
  key?: boolean;
  alias?: number;
}

function chunk({ group = 5, frame = 0, offset = 0, last = true, size = 32, length = 0, key = frame === 0, alias = 1 }: Part): Chunk {
  const head = { key, last, config: false, sync: false, encrypted: false, temporal: 0, alias, group, frame, offset, timestamp: 7 };
  const payload = new Uint8Array(size).fill(frame + 1);
  return parseBinary(encodeChunk(head, payload, length)) as Chunk;
}

function sizeOf(result: unknown): number | string {
  return typeof result === 'string' ? result : (result as { data: Uint8Array }).data.length;
}

describe('frames', () => {
  test('come whole from chunks in order', () => {
    const r = new Reassembly();
    expect(r.push(chunk({ last: false, length: 80 }))).toBe('partial');
    expect(r.push(chunk({ offset: 32, last: false }))).toBe('partial');
    const frame = r.push(chunk({ offset: 64, size: 16 }));
    expect(frame).toMatchObject({ key: true, group: 5, frame: 0, timestamp: 7 });
    expect(sizeOf(frame)).toBe(80);
    expect(sizeOf(r.push(chunk({ frame: 1 })))).toBe(32);
  });

  test('of audio are a group each', () => {
    const r = new Reassembly();
    expect([9, 10, 14].map((group) => sizeOf(r.push(chunk({ group, size: 3 }))))).toEqual([3, 3, 3]);
  });

  test('group numbers wrap', () => {
    const r = new Reassembly();
    expect(sizeOf(r.push(chunk({ group: 0xffffffff })))).toBe(32);
    expect(sizeOf(r.push(chunk({ group: 0 })))).toBe(32);
    expect(r.push(chunk({ group: 0xffffffff, frame: 1 }))).toBe('ignored');
  });
});

test('whole frames may be left out of a group', () => {
  const r = new Reassembly();
  expect([0, 2, 3, 7].map((frame) => sizeOf(r.push(chunk({ frame }))))).toEqual([32, 32, 32, 32]);
});

describe('a layer', () => {
  test('takes over with the first chunk of a group, also in the midst of a frame of the other; nothing more is taken of that', () => {
    const r = new Reassembly();
    r.push(chunk({ group: 90 }));
    expect(r.push(chunk({ group: 90, frame: 1, last: false }))).toBe('partial');
    expect(r.push(chunk({ alias: 2, group: 3 }))).toMatchObject({ alias: 2, group: 3, key: true });
    expect(r.push(chunk({ group: 90, frame: 1, offset: 32 }))).toBe('ignored');
    expect(r.abandon(1, 90)).toBe(false);
    expect(r.push(chunk({ alias: 2, group: 3, frame: 1 }))).toMatchObject({ alias: 2, frame: 1 });
  });

  test('does not take over in the midst of its group', () => {
    const r = new Reassembly();
    r.push(chunk({}));
    expect(r.push(chunk({ alias: 2, frame: 4 }))).toBe('ignored');
    expect(r.push(chunk({ frame: 1 }))).toMatchObject({ alias: 1, frame: 1 });
  });

  test('takes over with a catch-up burst, and comes back with a group of whatever number', () => {
    const r = new Reassembly();
    r.push(chunk({ group: 9 }));
    expect(r.abandon(1, 9)).toBe(true);
    r.restart(2, 4);
    expect(r.push(chunk({ alias: 2, group: 4 }))).toMatchObject({ alias: 2 });
    expect(r.push(chunk({ alias: 1, group: 8 }))).toMatchObject({ alias: 1, group: 8 });
  });
});

describe('what does not follow ends the group, and the next one starts clean', () => {
  test.each<[string, Part[]]>([
    ['a frame that is there already', [{}, { frame: 2 }, { frame: 2 }]],
    ['frames out of order', [{}, { frame: 3 }, { frame: 2 }]],
    ['another frame in the midst of one', [{}, { frame: 1, last: false }, { frame: 3 }]],
    ['a hole in a frame', [{ last: false }, { offset: 64 }]],
    ['a piece twice', [{ last: false }, { offset: 32, last: false }, { offset: 32 }]],
    ['out of order', [{ last: false }, { offset: 64, last: false }, { offset: 32 }]],
    ['a frame that never finishes', [{ last: false }, { frame: 1 }]],
    ['a group that starts in the middle', [{ frame: 3 }]],
    ['a group that does not start with a key frame', [{ key: false }]],
    ['a length that is not true', [{ length: 99 }]],
  ])('%s', (_, parts) => {
    const r = new Reassembly();
    const results = parts.map((part) => r.push(chunk(part)));
    expect(results).toContain('fault');
    expect(results.at(-1)).toMatch(/fault|ignored/);
    expect(r.push(chunk({ frame: 9 }))).toBe('ignored');
    expect(sizeOf(r.push(chunk({ group: 6 })))).toBe(32);
  });

  test('a frame of more than 1 MiB is never held', () => {
    const r = new Reassembly();
    const size = 16_384;
    let held = 0;
    for (let offset = 0; offset + size <= MAX_FRAME; offset += size) if (r.push(chunk({ offset, size, last: false })) === 'partial') held += size;
    expect(held).toBe(MAX_FRAME);
    const over = { ...chunk({ last: false }), offset: MAX_FRAME };
    expect(r.push(over)).toBe('fault');
  });
});

describe('control', () => {
  test('Abandon in the middle of a frame: what is there is thrown away, the rest of the group ignored', () => {
    const r = new Reassembly();
    r.push(chunk({}));
    r.push(chunk({ frame: 1, last: false }));
    r.abandon(1, 5);
    expect(r.push(chunk({ frame: 1, offset: 32 }))).toBe('ignored');
    expect(sizeOf(r.push(chunk({ group: 6 })))).toBe(32);
  });

  test('Abandon for a group that is over changes nothing', () => {
    const r = new Reassembly();
    r.push(chunk({ group: 6 }));
    r.abandon(1, 5);
    expect(sizeOf(r.push(chunk({ group: 6, frame: 1 })))).toBe(32);
  });

  test('a catch-up burst may begin a group again', () => {
    const r = new Reassembly();
    r.push(chunk({}));
    r.abandon(1, 5);
    r.restart(1, 5);
    expect(sizeOf(r.push(chunk({})))).toBe(32);
    expect(sizeOf(r.push(chunk({ frame: 1 })))).toBe(32);
  });
});
