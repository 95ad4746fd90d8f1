// SHA-256 (FIPS 180-4) piece by piece: the platform's own digest wants the whole object in memory. Pure.

const BLOCK = 64;
/** Where the length begins in the last block. */
const LENGTH_AT = 56;

/** The first 32 bits of the fractional parts of a root of the first primes. */
function fractions(count: number, root: (prime: number) => number): Uint32Array {
  const list = new Uint32Array(count);
  for (let n = 2, found = 0; found < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d++) prime = n % d !== 0;
    if (prime) list[found++] = (root(n) % 1) * 2 ** 32;
  }
  return list;
}

const K = fractions(64, Math.cbrt);

export class Sha256 {
  private readonly state = fractions(8, Math.sqrt);
  private readonly words = new Uint32Array(64);
  private readonly block = new Uint8Array(BLOCK);
  private readonly view = new DataView(this.block.buffer);
  private filled = 0;
  private length = 0;

  update(data: Uint8Array): void {
    this.length += data.length;
    for (let at = 0; at < data.length; ) {
      const part = data.subarray(at, at + BLOCK - this.filled);
      this.block.set(part, this.filled);
      at += part.length;
      this.filled += part.length;
      if (this.filled === BLOCK) this.compress();
    }
  }

  /** The hash in hexadecimal. Nothing can be added behind it. */
  end(): string {
    const { length } = this;
    this.block.fill(0, this.filled);
    this.block[this.filled] = 0x80;
    if (this.filled >= LENGTH_AT) {
      this.compress();
      this.block.fill(0);
    }
    this.view.setBigUint64(LENGTH_AT, BigInt(length) * 8n);
    this.compress();
    return Array.from(this.state, (word) => word.toString(16).padStart(8, '0')).join('');
  }

  private compress(): void {
    const { words: w, state, view } = this;
    for (let i = 0; i < 16; i++) w[i] = view.getUint32(4 * i);
    for (let i = 16; i < 64; i++) {
      const [x, y] = [w[i - 15]!, w[i - 2]!];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
    }
    let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
    let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0;
      d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i] = state[i]! + word;
    this.filled = 0;
  }
}
