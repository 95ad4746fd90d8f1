// How much may be in flight. Pure. A seam: whatever answers limit from acks may take its place.
//
// 64 KiB as long as the path carries it. When messages begin to queue on the way, where nothing can
// overtake them, the limit falls to what the path delivers in its round trip; it grows again while
// they do not.

export const MAX_WINDOW = 65_536;
const MIN_WINDOW = 2_400;
/** Waiting on the path, above its shortest round trip, that is too much, and that allows more, ms. */
const TOO_SLOW_MS = 100;
const FAST_MS = 40;
/** Besides the round trip: an ack interval under load, and some slack, ms. */
const SLACK_MS = 70;
const GAIN = 1.25;
const GROWTH = 1.05;

/** What acks tell of the path. */
export interface Path {
  /** Delivered rate, bit/s. */
  rate: number;
  /** Round trip of the last acknowledged message, and the shortest ever, ms. */
  lastRtt: number;
  leastRtt: number;
}

export class Window {
  limit = MAX_WINDOW;

  /** An ack came. waiting: something waits for room. */
  update(path: Path, waiting: boolean): void {
    const queued = path.lastRtt - path.leastRtt;
    if (queued > TOO_SLOW_MS) {
      const fits = (GAIN * path.rate * (path.leastRtt + SLACK_MS)) / 8_000;
      this.limit = Math.min(this.limit, Math.max(fits, MIN_WINDOW));
    } else if (queued < FAST_MS && waiting) this.limit = Math.min(this.limit * GROWTH, MAX_WINDOW);
  }

  reset(): void {
    this.limit = MAX_WINDOW;
  }
}
