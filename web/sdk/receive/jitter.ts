// How long to hold media so that it plays without gaps. Pure; all times in µs.
//
// Each arrival has a relative delay: arrival minus timestamp. The least of the last seconds is the base:
// the path without waiting. What others had above it is jitter. The target covers the worst jitter of 23
// of 25 windows, so a change for the worse is answered after a few windows, while one stall, with the second that
// a path takes to recover, is not. What is
// six seconds old is forgotten: every delay that it keeps up is heard by two who talk to each other.
//
// The beginning of a stream is like nothing after it: pages load and decoders start. So of what has come only
// the newer half counts, of two seconds at least.

const WINDOW_US = 250_000;
const WINDOWS = 24;
const YOUNG_WINDOWS = 8;
/** Nothing came for so long: what comes now, and what goes before it is as it was, is one window. */
const STALL_US = 500_000;
const RECOVERY_US = 1_000_000;
const QUANTILE = 0.92;
/** Windows needed before the measure is trusted more than the start value. */
const ENOUGH = 4;
const MARGIN_US = 3_000;
/** All of the last second this much below all before: the path is shorter now. */
const SHORTER_US = 20_000;

export interface JitterOptions {
  start: number;
  min: number;
  max: number;
}

export const AUDIO_JITTER: JitterOptions = { start: 60_000, min: 25_000, max: 500_000 };
export const VIDEO_JITTER: JitterOptions = { start: 20_000, min: 5_000, max: 300_000 };

interface Window {
  begin: number;
  end: number;
  least: number;
  most: number;
}

export class JitterTarget {
  private windows: Window[] = [];
  /** Windows so far on this path. */
  private seen = 0;
  private smoothed = 0;
  private previous: number | undefined;
  private lastArrival = Infinity;
  private cachedBase = 0;
  private cachedTarget: number;

  constructor(private readonly options: JitterOptions) {
    this.cachedTarget = options.start;
  }

  /** Least relative delay of the last seconds. */
  get base(): number {
    return this.cachedBase;
  }

  /** How long after the base a frame is due. */
  get target(): number {
    return this.cachedTarget;
  }

  /** Smoothed jitter as in RFC 3550 section 6.4.1. */
  get jitter(): number {
    return this.smoothed;
  }

  get known(): boolean {
    return this.windows.length > 0;
  }

  observe(arrivalUs: number, mediaUs: number): void {
    const delay = arrivalUs - mediaUs;
    if (this.previous !== undefined) this.smoothed += (Math.abs(delay - this.previous) - this.smoothed) / 16;
    this.previous = delay;
    const window = this.windows.at(-1);
    const stalled = arrivalUs - this.lastArrival >= STALL_US;
    this.lastArrival = arrivalUs;
    if (!window || stalled || arrivalUs >= window.end) {
      this.windows.push({ begin: arrivalUs, end: arrivalUs + (stalled ? RECOVERY_US : WINDOW_US), least: delay, most: delay });
      this.seen++;
      this.windows = this.windows.slice(-Math.min(Math.max(YOUNG_WINDOWS, this.seen / 2), WINDOWS));
    } else {
      window.least = Math.min(window.least, delay);
      window.most = Math.max(window.most, delay);
    }
    this.compute();
  }

  /** Forgets everything: the media clock jumped. */
  reset(): void {
    this.windows = [];
    this.seen = 0;
    this.previous = undefined;
    this.lastArrival = Infinity;
    this.cachedTarget = this.options.start;
  }

  /** Whether the last second has nothing in common with what was before: another path, or clock, for good. */
  private pathChanged(): boolean {
    const recent = this.lastSecond();
    // The third least: up to two windows lie across the change.
    const before = this.windows.slice(0, -recent.length).map((w) => w.least).sort((a, b) => a - b)[2];
    if (before === undefined) return false;
    const worst = recent.reduce((most, w) => Math.max(most, w.most), -Infinity);
    return leastOf(recent) - before > this.options.max || before - worst > SHORTER_US;
  }

  /** The windows of the last second; the newest may have just begun. */
  private lastSecond(): Window[] {
    const since = this.lastArrival - (ENOUGH - 1) * WINDOW_US;
    const first = this.windows.findLastIndex((w) => w.begin <= since);
    return this.windows.slice(Math.max(first, 0));
  }

  private compute(): void {
    const { start, min, max } = this.options;
    this.cachedBase = leastOf(this.windows);
    if (this.pathChanged()) {
      this.windows = this.lastSecond();
      this.seen = this.windows.length;
      this.cachedBase = leastOf(this.windows);
    }
    if (this.windows.length < ENOUGH) return;
    const peaks = this.windows.map((w) => w.most - this.cachedBase).sort((a, b) => a - b);
    const peak = peaks[Math.round(QUANTILE * peaks.length) - 1] ?? start;
    this.cachedTarget = Math.min(Math.max(peak + MARGIN_US, min), max);
  }
}

function leastOf(windows: Window[]): number {
  return windows.reduce((least, w) => Math.min(least, w.least), Infinity);
}
