// What a path carries at a moment, by messages that were sent close together: all that was sent from one moment on has come through
// by the time the newest of it has. The twin of relay/rate/train.go. Pure; times in µs.

/** Of the last bursts, as many are looked at, and no two that began closer together. */
const STARTS = 16;
const GAP_US = 15_000;
/** Fewer bytes tell of noise, as does less time. */
const LEAST_BYTES = 6 << 10;
const LEAST_US = 10_000;
/** So long it is believed. */
const BELIEVED_US = 10_000_000;

export class Trains {
  private starts: { bytes: number; at: number }[] = [];
  private most = 0;
  private seenAt = 0;

  /** A message goes out behind so many bytes. */
  sent(before: number, now: number): void {
    if (now - (this.starts.at(-1)?.at ?? 0) < GAP_US) return;
    this.starts.push({ bytes: before, at: now });
    if (this.starts.length > STARTS) this.starts.shift();
  }

  /** The newest message that is acknowledged: where it ends, when it was sent, and how much longer than the quickest it was under way. */
  came(end: number, at: number, delay: number, now: number): void {
    if (now - this.seenAt > BELIEVED_US) this.most = 0;
    for (const start of this.starts) {
      if (start.at > at || end < start.bytes + LEAST_BYTES) continue;
      const rate = ((end - start.bytes) * 1e6) / Math.max(at - start.at + delay, LEAST_US);
      if (rate < this.most) continue;
      this.most = rate;
      this.seenAt = now;
    }
  }

  /** The path is full: what was seen before does not hold. */
  forget(): void {
    this.most = 0;
  }

  /** Bytes a second. */
  shown(now: number): number {
    return now - this.seenAt > BELIEVED_US ? 0 : Math.trunc(this.most);
  }
}
