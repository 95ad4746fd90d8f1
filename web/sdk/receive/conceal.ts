// Sound for a gap: the last period of what was heard, again and again, fading away. Pure.

import { findPeriod } from './stretch';
import type { Pcm } from './stretch';

const HISTORY = 1_200;
/** Faded to nothing after this many samples (60 ms at 48 kHz). */
const FADE = 2_880;

export class Concealer {
  private history: Pcm = [];
  private lag = 0;
  private at = 0;
  private active = false;

  /** Remembers what was played. */
  heard(pcm: Pcm): void {
    this.active = false;
    const length = pcm[0]!.length;
    if (length >= HISTORY) this.history = pcm.map((x) => x.slice(length - HISTORY));
    else {
      this.history = pcm.map((x, c) => {
        const old = this.history[c] ?? this.history[0] ?? new Float32Array(HISTORY);
        const joined = new Float32Array(HISTORY);
        joined.set(old.subarray(length));
        joined.set(x, HISTORY - length);
        return joined;
      });
    }
  }

  /** The next samples of the gap. */
  take(frames: number, channels: number): Pcm {
    if (!this.active) this.begin();
    const out = Array.from({ length: channels }, () => new Float32Array(frames));
    if (this.lag > 0) {
      for (let i = 0; i < frames; i++) {
        const fade = Math.max(0, 1 - (this.at + i) / FADE);
        const from = HISTORY - this.lag + ((this.at + i) % this.lag);
        out.forEach((y, c) => (y[i] = (this.history[c] ?? this.history[0]!)[from]! * fade));
      }
    }
    this.at += frames;
    return out;
  }

  private begin(): void {
    this.active = true;
    this.at = 0;
    this.lag = this.history.length ? findPeriod(this.history, HISTORY - 960).lag : 0;
  }
}
