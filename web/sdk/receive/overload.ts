// Whether this device decodes a track as fast as it comes, and which of its layers is to be had where it does not. Pure; times in ms.

/** Frames that wait for the decoder, for so long, are too many. */
const BEHIND = 3;
const BEHIND_MS = 500;
/** What was asked for takes so long to come, and what was behind to be over. */
const SETTLE_MS = 2_000;
/** Never behind for so long before more is tried. */
const CALM_MS = 30_000;
/** While a track is so young, what else begins takes the device's time: what was too much then is tried again sooner. */
const YOUNG_MS = 10_000;
const YOUNG_CALM_MS = 8_000;
/** At most so many changes in so long; one that goes up leaves room for the way back. */
const MOST = 3;
const WINDOW_MS = 300_000;
/** A look that comes so late tells that everything stood still, and not only the decoder. */
const LATE_MS = 400;

export class Overload {
  /** The best layer that this device can do with, 0 is the smallest; undefined: any. */
  best: number | undefined;
  private changes: number[] = [];
  private behindSince: number | undefined;
  private calmSince = -Infinity;
  private lookedAt = -Infinity;
  private began: number | undefined;

  /**
   * A look, a few times a second. behind: frames that came live and wait to be decoded; layer: the one that is received, of so
   * many. Returns whether best is another one than before.
   */
  update(behind: number, layer: number, layers: number, now: number): boolean {
    this.began ??= now;
    const late = now - this.lookedAt > LATE_MS;
    this.lookedAt = now;
    this.changes = this.changes.filter((at) => now - at < WINDOW_MS);
    const settling = now - (this.changes.at(-1) ?? -Infinity) < SETTLE_MS;
    if (behind <= BEHIND || late || settling) this.behindSince = undefined;
    else this.behindSince ??= now;
    if (behind > BEHIND) this.calmSince = now;
    if (this.behindSince !== undefined && now - this.behindSince >= BEHIND_MS) return this.lower(layer, now);
    return this.raise(layers, now);
  }

  private lower(layer: number, now: number): boolean {
    const best = Math.min(layer, this.best ?? layer) - 1;
    if (best < 0 || this.changes.length >= MOST) return false;
    return this.change(best, now);
  }

  private raise(layers: number, now: number): boolean {
    const young = (this.changes.at(-1) ?? Infinity) - (this.began ?? 0) < YOUNG_MS;
    if (this.best === undefined || now - this.calmSince < (young ? YOUNG_CALM_MS : CALM_MS) || this.changes.length > MOST - 2) return false;
    this.calmSince = now;
    return this.change(this.best + 1 < layers - 1 ? this.best + 1 : undefined, now);
  }

  private change(best: number | undefined, now: number): boolean {
    this.best = best;
    this.behindSince = undefined;
    this.changes.push(now);
    return true;
  }
}
