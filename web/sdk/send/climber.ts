// One video track's place on its ladder: down after some patience, up with care. Pure; times in ms.

import { STEP_UP } from './ladder';
import type { Step } from './ladder';

/**
 * Under the least of its step for so long, or far under it for half as long, and a track goes down. The bitrate is down already,
 * so there is no hurry; and where it was wrong, since the step is soon taken again, more patience is had for a while.
 */
const PATIENCE_MS = 1_500;
const MOST_PATIENCE_MS = 6_000;
const FAR_UNDER = 0.6;
const WRONG_MS = 15_000;
/** Calm, and the same step, for so long before one goes up. */
const UP_CALM_MS = 3_000;
/** Or for so long, where the link was seen to take it. */
const PROVEN_CALM_MS = 1_500;
/** A step that is lost again within this, or whose pictures did not fit, was one too many: it is not tried for long, and then twice as long. */
const TRIAL_MS = 60_000;
const BLOCK_MS = 300_000;

/** What a track goes by, bit/s and ms. */
export interface Look {
  /** Its pictures do not fit into what the encoder was told. */
  tight: boolean;
  /** What there is for it, and what there surely is. */
  budget: number;
  sure: number;
  /** How long nothing has waited too long. */
  calm: number;
  /** Whether clearly more than this was seen to be delivered, besides the others; and whether the path showed it for a moment. */
  proven: (bitrate: number) => boolean;
  shown: (bitrate: number) => boolean;
}

/** One track's place on its ladder. */
export class Climber {
  index = 0;
  private changedAt = -Infinity;
  private wentUpAt = -Infinity;
  private underSince: number | undefined;
  private fell = { from: 0, at: -Infinity };
  private patience = PATIENCE_MS;
  private readonly blocks = new Map<number, { until: number; ms: number }>();

  /** What else is made beside each step, bit/s. */
  reserves: readonly number[];

  constructor(readonly steps: readonly Step[]) {
    this.reserves = steps.map(() => 0);
  }

  get step(): Step {
    return this.steps[this.index]!;
  }

  /** The most that the best step can use, and what is made beside it. */
  get most(): number {
    return this.steps[0]!.most + this.reserves[0]!;
  }

  /** The most that the step can use. It may use what the next better one needs to be tried, or a better link would never show. */
  get usable(): number {
    const { index } = this;
    const tried = index > 0 ? this.needed(index - 1) * 1.05 - this.reserves[index]! : 0;
    return Math.max(this.step.most, tried);
  }

  /** bit/s at which a step is tried. */
  private needed(index: number): number {
    return this.steps[index]!.least * STEP_UP + this.reserves[index]!;
  }

  /** bit/s without which a step is of no use. */
  private least(index: number): number {
    return this.steps[index]!.least + this.reserves[index]!;
  }

  /** Begins at the best step that this has room for. */
  start(budget: number): void {
    this.index = this.fitting(budget);
  }

  private fitting(budget: number): number {
    const fits = this.steps.findIndex((_, i) => this.least(i) <= budget);
    return fits < 0 ? this.steps.length - 1 : fits;
  }

  /** Moves to where it belongs. */
  move(look: Look, now: number): void {
    const { tight, budget } = look;
    const least = this.least(this.index);
    if (!tight && budget >= least) {
      this.underSince = undefined;
      this.climb(look, now);
      return;
    }
    this.underSince ??= now;
    const patience = budget < least * FAR_UNDER ? this.patience / 2 : this.patience;
    if (now - this.underSince >= patience && this.index < this.steps.length - 1) this.fall(tight, budget, now);
  }

  private fall(tight: boolean, budget: number, now: number): void {
    if (tight || now - this.wentUpAt < TRIAL_MS) {
      const ms = Math.min((this.blocks.get(this.index)?.ms ?? BLOCK_MS / 2) * 2, 4 * BLOCK_MS);
      this.blocks.set(this.index, { until: now + ms, ms });
    }
    this.fell = { from: this.index, at: now };
    this.index = Math.max(this.fitting(budget), this.index + 1);
    this.changed(now);
  }

  /** One step, after long calm; or after less where there is proof that the link takes it. */
  private climb({ sure, calm, proven, shown }: Look, now: number): void {
    if (this.index === 0) return;
    const needed = this.needed(this.index - 1);
    const still = Math.min(calm, now - this.changedAt);
    if (sure < needed || still < PROVEN_CALM_MS) return;
    const block = this.blocks.get(this.index - 1);
    const blocked = now < (block?.until ?? -Infinity);
    // What failed twice is not tried for what a moment showed, which may have been what misled the last time.
    const proof = proven(needed) || ((block?.ms ?? 0) <= BLOCK_MS && shown(needed));
    if ((blocked || still < UP_CALM_MS) && !proof) return;
    this.index--;
    if (this.index === this.fell.from) {
      const wrong = now - this.fell.at < WRONG_MS;
      this.patience = wrong ? Math.min(2 * this.patience, MOST_PATIENCE_MS) : PATIENCE_MS;
    }
    this.wentUpAt = now;
    this.changed(now);
  }

  private changed(now: number): void {
    this.changedAt = now;
    this.underSince = undefined;
  }
}
