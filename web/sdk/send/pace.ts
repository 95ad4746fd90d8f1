// Which captured frames are encoded. Pure. What cannot be sent in time is left out before it costs anything.

/** With something of a track waiting for longer than this, a frame that is encoded now would only wait behind it. */
export const SKIP_AGE_MS = 100;

/** Cameras are not exact: so much of a frame's time a frame may be early, and so much faster they may run. */
const EARLY = 0.25;
const FASTER = 1.03;

/** Thins captured frames to a frame rate, evenly. */
export class Pace {
  private next = -Infinity;

  /** Whether a frame captured at this time is to be encoded. */
  due(us: number, fps: number): boolean {
    const interval = 1_000_000 / (fps * FASTER);
    const behind = us - this.next;
    // A clock that jumped back starts over.
    if (behind < -EARLY * interval && behind > -2_000_000) return false;
    this.next = Math.abs(behind) < interval ? this.next + interval : us + interval;
    return true;
  }
}
