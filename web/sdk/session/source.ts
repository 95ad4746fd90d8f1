// The name under which a sender numbers what it says: nobody else may guess it.

/** 18 letters and digits at random. */
export function newSource(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => (byte % 36).toString(36)).join('');
}
