// When UDP is to be tried again. Pure; ms.

/** One that ran is tried again soon, but not so soon that media goes to and fro. */
const AFTER_RUN_MS = 12_000;
const AFTER_NONE_MS = 60_000;
const MOST_MS = 16 * 60_000;
/** One that ran for so long counts as good. */
const GOOD_MS = 120_000;

export class Retry {
  private next = Infinity;
  private failures = 0;

  at(time: number): void {
    this.next = time;
  }

  due(now: number): boolean {
    return now >= this.next;
  }

  /** A PeerConnection is over, or did not come about (ranMs 0): each time in a row the next is tried later. */
  failed(ranMs: number, now: number): void {
    if (ranMs >= GOOD_MS) this.failures = 0;
    const base = ranMs > 0 ? AFTER_RUN_MS : AFTER_NONE_MS;
    this.next = now + Math.min(MOST_MS, base * 2 ** this.failures);
    this.failures++;
  }
}
