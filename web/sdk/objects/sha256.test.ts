import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Sha256 } from './sha256';

test('is what others compute, however the data is cut', () => {
  for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000, 100_003]) {
    const data = Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255);
    const want = createHash('sha256').update(data).digest('hex');
    for (const step of [1, 13, 64, 16_384]) {
      const hash = new Sha256();
      for (let at = 0; at < size; at += step) hash.update(data.subarray(at, at + step));
      expect(hash.end(), `${size} bytes by ${step}`).toBe(want);
    }
  }
});
