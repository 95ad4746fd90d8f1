import { describe, expect, test } from 'vitest';
import vectors from '../../../testdata/wire.json';
import { fromHex, hexBlocks, toHex } from './documents';
import { encodeAbandon, encodeAck, encodeCatchUp, encodeChunk, encodeEnd, encodeObject, parseBinary, WireError } from './wire';
import type { Binary } from './wire';

/** Re-encodes what was parsed; reserved bits do not survive, which one vector allows for. */
function encode(m: Binary): Uint8Array {
  switch (m.kind) {
    case 'chunk':
      return encodeChunk(m, m.payload, m.length);
    case 'ack':
      return encodeAck(m);
    case 'abandon':
      return encodeAbandon(m);
    case 'catch-up':
      return encodeCatchUp(m);
    case 'end':
      return encodeEnd(m);
    case 'object':
      return encodeObject(m);
  }
}

/** The form of the vectors: payload as hex, first-chunk fields only where the bytes are there. */
function asVector(m: Binary): Record<string, unknown> {
  if (m.kind === 'object') return { ...m, payload: toHex(m.payload) };
  if (m.kind !== 'chunk') return { ...m };
  const { length, level, voice, ...rest } = m;
  const first = m.offset === 0 ? { length, level, voice } : {};
  return { ...rest, ...first, payload: toHex(m.payload) };
}

describe('shared vectors', () => {
  test.each(vectors.valid)('reads and writes: $name', ({ name, hex, message }) => {
    const parsed = parseBinary(fromHex(hex));
    expect(asVector(parsed)).toEqual(message);
    if (!name.includes('reserved')) expect(toHex(encode(parsed))).toBe(hex);
  });

  test.each(vectors.invalid)('refuses: $name', ({ hex, error }) => {
    let fault = 'none';
    try {
      parseBinary(fromHex(hex));
    } catch (e) {
      fault = e instanceof WireError ? e.fault : `not a WireError: ${e}`;
    }
    expect(fault).toBe(error);
  });
});

test('every hex block of docs/protocol.md is read', () => {
  const kinds = hexBlocks().map((block) => parseBinary(block).kind);
  expect(kinds).toEqual(['chunk', 'chunk', 'ack', 'abandon', 'catch-up', 'catch-up', 'end', 'object']);
});

test('no truncation or bit flip of a good message makes anything but a WireError', () => {
  let refused = 0;
  for (const { hex } of vectors.valid.filter((v) => v.hex.length < 200)) {
    const good = fromHex(hex);
    const broken = [...good.keys()].map((n) => good.slice(0, n));
    for (let bit = 0; bit < good.length * 8; bit++) {
      const flipped = good.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      broken.push(flipped);
    }
    for (const data of broken) {
      try {
        parseBinary(data);
      } catch (e) {
        expect(e).toBeInstanceOf(WireError);
        refused++;
      }
    }
  }
  expect(refused).toBeGreaterThan(100);
});
