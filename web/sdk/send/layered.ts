// What is made of one own picture: of the best layer that the uplink has for it a step of its ladder, and of the smaller ones
// that somebody wants a fixed small share each. Pure.

import type { TrackInfo } from '../api';
import { Climber } from './climber';
import { ladder } from './ladder';
import { layerSizes, smallEncoding } from './layers';
import type { Size } from './picture';

/** What an encoder is to make. */
export interface Encoding extends Size {
  fps: number;
  bitrate: number;
  /** Whether every second picture is to be one that no other needs. */
  thinnable?: boolean;
}

export class Layered {
  readonly climber: Climber;
  readonly screen: boolean;
  /** bit/s that there are for all layers together. */
  bitrate: number;
  /** Which layers somebody wants, the smallest first. */
  wanted: readonly boolean[];
  private readonly sizes: readonly Size[];
  private readonly small: readonly Encoding[];

  constructor(source: TrackInfo['source'], captured: Size, layers: number) {
    this.screen = source === 'screen';
    this.climber = new Climber(ladder(captured, source));
    this.sizes = layerSizes(captured, source, layers);
    this.small = this.sizes.map((size) => smallEncoding(size, source));
    this.wanted = this.sizes.map((_, i) => i === layers - 1);
    this.bitrate = this.climber.most;
  }

  want(wanted: readonly boolean[]): void {
    this.wanted = this.sizes.map((_, i) => wanted[i] ?? false);
    this.climber.reserves = this.climber.steps.map((_, step) => this.fixed(this.leadOf(step)));
  }

  /** Whether anybody wants any of it. */
  get watched(): boolean {
    return this.wanted.some(Boolean);
  }

  /** The best layer that there is room for; those above it are not made. */
  get lead(): number {
    return this.leadOf(this.climber.index);
  }

  /** Whether the step of the ladder is what is encoded. */
  get leads(): boolean {
    return this.wanted[this.lead] ?? false;
  }

  /** Where nobody has a smaller layer, the best one gets smaller itself, and nobody has to change over. */
  private leadOf(step: number): number {
    const { width } = this.climber.steps[step]!;
    const best = this.sizes.length - 1;
    return this.wanted.slice(0, best).some(Boolean) ? this.sizes.findIndex((size) => size.width >= width) : best;
  }

  /** What the wanted layers below this one get, bit/s. */
  private fixed(lead: number): number {
    return this.small.reduce((sum, { bitrate }, i) => sum + (i < lead && this.wanted[i] ? bitrate : 0), 0);
  }

  /** What is to come of each layer; undefined: it is not to be encoded. */
  encodings(): (Encoding | undefined)[] {
    const { lead, bitrate, leads } = this;
    const fixed = this.fixed(lead);
    const share = fixed > 0 ? Math.min(1, (leads ? bitrate / 2 : bitrate) / fixed) : 0;
    const { index, step: { width, height, fps }, usable } = this.climber;
    return this.small.map((small, i) => {
      if (!this.wanted[i] || i > lead) return undefined;
      if (i === lead) return { width, height, fps, bitrate: Math.min(bitrate - share * fixed, usable), thinnable: index === 0 && !this.screen };
      return { ...small, bitrate: small.bitrate * share };
    });
  }
}
