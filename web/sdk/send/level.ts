// Loudness of PCM as RFC 6464 counts it.

import { LEVEL_UNKNOWN } from '../wire/wire';

/** Louder than this, in -dBov, counts as voice. */
export const VOICE_LEVEL = 50;

/** Gathers samples of one packet. */
export class LevelMeter {
  private energy = 0;
  private samples = 0;

  add(pcm: Float32Array): void {
    for (const x of pcm) this.energy += x * x;
    this.samples += pcm.length;
  }

  /** Level since the last call in -dBov: 0 is a full-scale square wave, 127 silence. */
  take(): number {
    const mean = this.samples ? this.energy / this.samples : 0;
    this.energy = 0;
    this.samples = 0;
    return mean > 0 ? Math.min(Math.max(Math.round(-10 * Math.log10(mean)), 0), LEVEL_UNKNOWN) : LEVEL_UNKNOWN;
  }
}
