// When a decoded picture is to be painted. Pure; local monotonic time in µs.
//
// With sound of the same member playing, the sound is the master: a picture is due when the sample with
// its timestamp is heard. Without, pictures have a small jitter delay of their own.

import { JitterTarget, VIDEO_JITTER } from './jitter';

/** What is heard now: the sample of mediaUs goes out of the speakers at localUs. */
export interface Heard {
  mediaUs: number;
  localUs: number;
}

/** A picture may come this much before its sound; nobody notices (ITU-R BT.1359: 45 ms), and the call is faster for it. */
const LEAD_US = 35_000;
/** Sound that was last heard of longer ago than this no longer leads. */
const HEARD_FRESH_US = 500_000;
const MAX_WAIT_US = 600_000;

export class Playout {
  readonly timing = new JitterTarget(VIDEO_JITTER);

  /** A live picture was there to be painted at nowUs. */
  arrived(mediaUs: number, nowUs: number): void {
    this.timing.observe(nowUs, mediaUs);
  }

  /** Local time at which the picture is due; nowUs or before: paint it now. */
  due(mediaUs: number, nowUs: number, heard: Heard | undefined): number {
    const led = heard && Math.abs(nowUs - heard.localUs) < HEARD_FRESH_US;
    const at = led ? heard.localUs + (mediaUs - heard.mediaUs) - LEAD_US : mediaUs + this.timing.base + this.timing.target;
    return Math.min(at, nowUs + MAX_WAIT_US);
  }
}
