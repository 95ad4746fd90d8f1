// Maps the clock of a capture device to the member's clock. Pure; all times in µs.

const WINDOW_US = 500_000;
const WINDOWS = 9;
/** A jump of a capture clock by more than this starts the mapping anew. */
const JUMP_US = 1_000_000;

/** The member's time of what has times of its own. */
export interface Clock {
  /** Of a frame that was seen now. */
  map(us: number, nowUs: number): number;
  /** As the mapping is now. */
  toMember(us: number): number;
}

/**
 * Follows the least observed difference between the two clocks: the frame that was delivered with the
 * least delay tells the mapping best. The least of each half second is taken, and of these the median,
 * since Chromium was seen to date the first sound of a microphone 0.1 s ahead. Tracks of one capture
 * clock share one instance, so that their difference in delivery does not spoil lip sync.
 */
export class CaptureClock implements Clock {
  private windows: { since: number; least: number }[] = [];
  private offset: number | undefined;

  /** The member's time of a frame with this capture time, seen at nowUs of the member's clock. */
  map(captureUs: number, nowUs: number): number {
    const seen = nowUs - captureUs;
    if (!this.fits(captureUs, nowUs)) this.offset = undefined;
    if (this.offset === undefined) {
      // The first frame alone is not believed for longer than it must.
      this.offset = seen;
      this.windows = [];
      return this.toMember(captureUs);
    }
    const window = this.windows.at(-1);
    if (window && nowUs - window.since < WINDOW_US) window.least = Math.min(window.least, seen);
    else this.windows.push({ since: nowUs, least: seen });
    if (this.windows.length > WINDOWS) this.windows.shift();
    const leasts = this.windows.map((w) => w.least).sort((a, b) => a - b);
    this.offset = leasts[leasts.length >> 1]!;
    return this.toMember(captureUs);
  }

  /** The member's time of a capture time, as the mapping is now. */
  toMember(captureUs: number): number {
    return Math.round(captureUs + (this.offset ?? 0));
  }

  /** Whether a frame fits this clock, or comes from another one. */
  fits(captureUs: number, nowUs: number): boolean {
    return this.offset === undefined || Math.abs(nowUs - captureUs - this.offset) <= JUMP_US;
  }
}

/** Timestamps of a track only grow; the member's clock never goes back. */
export class Monotonic {
  private last = -1;

  next(us: number): number {
    this.last = Math.max(Math.round(us), this.last + 1);
    return this.last;
  }
}

/** Differences up to this are smoothed, larger ones are holes in the capture, µs. */
const SMOOTH_US = 15_000;

/**
 * An audio encoder counts samples from the first timestamp it was given, so holes in the capture, and
 * a device that runs slow, make its timestamps fall behind. This puts them right.
 */
export class Timeline {
  private next: number | undefined;
  private skew = 0;

  /** Sound with this capture time and duration went into the encoder. */
  entered(us: number, durationUs: number): void {
    this.next ??= us;
    const off = us - this.next;
    this.skew = Math.abs(off - this.skew) > SMOOTH_US ? off : this.skew + (off - this.skew) / 50;
    this.next += durationUs;
  }

  /** The capture time of an encoder's timestamp. */
  captureTime(us: number): number {
    return us + this.skew;
  }

  reset(): void {
    this.next = undefined;
    this.skew = 0;
  }
}
