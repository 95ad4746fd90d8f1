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
}

function chunk({ group = 5, frame = 0, offset = 0, last = true, size = 32, length = 0, key = frame === 0 }: Part): Chunk {
  const head = { key, last, config: false, sync: false, encrypted: false, temporal: 0, alias: 1, group, frame, offset, timestamp: 7 };
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

describe('what does not follow ends the group, and the next one starts clean', () => {
  test.each<[string, Part[]]>([
    ['a hole between frames', [{}, { frame: 2 }]],
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
    r.abandon(5);
    expect(r.push(chunk({ frame: 1, offset: 32 }))).toBe('ignored');
    expect(sizeOf(r.push(chunk({ group: 6 })))).toBe(32);
  });

  test('Abandon for a group that is over changes nothing', () => {
    const r = new Reassembly();
    r.push(chunk({ group: 6 }));
    r.abandon(5);
    expect(sizeOf(r.push(chunk({ group: 6, frame: 1 })))).toBe(32);
  });

  test('a catch-up burst may begin a group again', () => {
    const r = new Reassembly();
    r.push(chunk({}));
    r.abandon(5);
    r.restart(5);
    expect(sizeOf(r.push(chunk({})))).toBe(32);
    expect(sizeOf(r.push(chunk({ frame: 1 })))).toBe(32);
  });
});
