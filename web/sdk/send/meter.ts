// Bits a second of a count of bytes, smoothed over about a second. Pure; times in ms.

const SMOOTH_MS = 500;
/** Shorter spans tell of single frames. */
const LEAST_MS = 50;

export class Meter {
  private last: { bytes: number; at: number } | undefined;
  private bitrate = 0;

  /** bit/s until now, of so many bytes so far; to be read a few times a second. */
  read(bytes: number, now: number): number {
    const { last } = this;
    if (last && now - last.at < LEAST_MS) return this.bitrate;
    if (last) {
      const span = now - last.at;
      this.bitrate += (((bytes - last.bytes) * 8_000) / span - this.bitrate) * (1 - Math.exp(-span / SMOOTH_MS));
    }
    this.last = { bytes, at: now };
    return this.bitrate;
  }
}
