// 32-bit timestamps to the full clock of a member (docs/protocol.md section 9). Pure.

const WRAP = 2 ** 32;

/** The value with these low 32 bits that is nearest to expected. */
export function unwrap32(low: number, expected: number): number {
  const base = expected - (((expected % WRAP) + WRAP) % WRAP);
  const candidates = [base + low - WRAP, base + low, base + low + WRAP];
  const near = candidates.reduce((a, b) => (Math.abs(b - expected) < Math.abs(a - expected) ? b : a));
  return near < 0 ? near + WRAP : near;
}

/** Follows the clock of one track: what was last known, plus the time since. */
export class TrackClock {
  constructor(
    private us: number,
    private at: number,
  ) {}

  /** Full value of a timestamp that came at nowUs (local monotonic clock). */
  full(low: number, nowUs: number): number {
    this.us = unwrap32(low, this.us + (nowUs - this.at));
    this.at = nowUs;
    return this.us;
  }
}
