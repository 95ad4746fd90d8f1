// RTP timestamps of one track to the publisher's clock, as media/rtp does it.

import { SAMPLE_RATE } from '../receive/player';

const SECOND = 1_000_000;
const RATES = { audio: SAMPLE_RATE, video: 90_000 };

export class RtpClock {
  private readonly rate: number;
  /** Ticks since the pair, of the newest timestamp that was asked for. */
  private last = 0;

  /** At us µs the RTP timestamp is rtp. */
  constructor(
    kind: 'audio' | 'video',
    private readonly us: number,
    private readonly rtp: number,
  ) {
    this.rate = RATES[kind];
  }

  /** The time of a timestamp, µs: the one that is nearest to the newest that it was asked for. */
  micros(rtp: number): number {
    this.last += (rtp - this.rtp - this.last) | 0;
    return this.us + Math.round((this.last * SECOND) / this.rate);
  }
}
