// Which size, frame rate and bitrate one's own video is encoded with, by one's own uplink only: what others receive is the
// relay's affair. Pure; times in ms. Audio is never adapted, and goes first.

import type { TrackInfo } from '../api';
import { Budget } from './budget';
import type { Reading } from './budget';
import { ladder, STEP_UP } from './ladder';
import type { Step } from './ladder';
import type { Size } from './picture';

/** What an encoder is to make. */
export interface Encoding extends Size {
  fps: number;
  bitrate: number;
}

export interface Place {
  encoding: Encoding;
  /** bit/s that is to come of it. An encoder that makes more than it is told is told less. */
  aim: number;
  /** On the ladder: 0 is the best of so many. */
  step: number;
  steps: number;
  /** bit/s that the best step can use. */
  best: number;
}

/**
 * Under the least of its step for so long, or far under it for half as long, and a track goes down. The bitrate is down already,
 * so there is no hurry; and where it was wrong, since the step is soon taken again, more patience is had for a while.
 */
const PATIENCE_MS = 1_500;
const MOST_PATIENCE_MS = 6_000;
const FAR_UNDER = 0.6;
const WRONG_MS = 15_000;
/** Where there is trouble, and so much more comes from the encoders than they were told, the pictures are too many or too large. */
const OVER = 1.15;
const TROUBLE_MS = 500;
/** How far an encoder is believed to be off, and how fast. */
const MAX_EXCESS = 1.3;
const EXCESS_SHARE = 0.03;
/** Calm, and the same step, for so long before one goes up. */
const UP_CALM_MS = 3_000;
/** Or for so long, where the link was seen to take it. */
const PROVEN_CALM_MS = 1_500;
/** A step that is lost again within this, or whose pictures did not fit, was one too many: it is not tried for long, and then twice as long. */
const TRIAL_MS = 60_000;
const BLOCK_MS = 300_000;
/** Unless so much more was seen to be delivered than the step needs. */
const PROOF = 1.5;
/** Of the budget, what screens may use where there are cameras too. */
const SCREEN_SHARE = 0.8;

/** What a track goes by, bit/s and ms. */
interface Look {
  /** Its pictures do not fit into what the encoder was told. */
  tight: boolean;
  /** What there is for it, and what there surely is. */
  budget: number;
  sure: number;
  /** How long nothing has waited too long. */
  calm: number;
  /** Whether clearly more than this was seen to be delivered, besides the others. */
  proven: (bitrate: number) => boolean;
}

/** One track's place on its ladder. */
class Climber {
  index = 0;
  private changedAt = -Infinity;
  private wentUpAt = -Infinity;
  private underSince: number | undefined;
  private fell = { from: 0, at: -Infinity };
  private patience = PATIENCE_MS;
  private readonly blocks = new Map<number, { until: number; ms: number }>();

  constructor(readonly steps: readonly Step[]) {}

  get step(): Step {
    return this.steps[this.index]!;
  }

  /** The most that the best step can use. */
  get most(): number {
    return this.steps[0]!.most;
  }

  /** Moves to where it belongs. */
  move(look: Look, now: number): void {
    const { tight, budget } = look;
    if (!tight && budget >= this.step.least) {
      this.underSince = undefined;
      this.climb(look, now);
      return;
    }
    this.underSince ??= now;
    const patience = budget < this.step.least * FAR_UNDER ? this.patience / 2 : this.patience;
    if (now - this.underSince >= patience && this.index < this.steps.length - 1) this.fall(tight, budget, now);
  }

  private fall(tight: boolean, budget: number, now: number): void {
    if (tight || now - this.wentUpAt < TRIAL_MS) {
      const ms = Math.min((this.blocks.get(this.index)?.ms ?? BLOCK_MS / 2) * 2, 4 * BLOCK_MS);
      this.blocks.set(this.index, { until: now + ms, ms });
    }
    this.fell = { from: this.index, at: now };
    const fitting = this.steps.findIndex((step) => step.least <= budget);
    this.index = fitting < 0 ? this.steps.length - 1 : Math.max(fitting, this.index + 1);
    this.changed(now);
  }

  /** One step, after long calm; or after less where there is proof that the link takes it. */
  private climb({ sure, calm, proven }: Look, now: number): void {
    const better = this.steps[this.index - 1];
    const needed = better ? better.least * STEP_UP : Infinity;
    const still = Math.min(calm, now - this.changedAt);
    if (sure < needed || still < PROVEN_CALM_MS) return;
    const blocked = now < (this.blocks.get(this.index - 1)?.until ?? -Infinity);
    if ((blocked || still < UP_CALM_MS) && !proven(needed)) return;
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

interface Track {
  screen: boolean;
  climber: Climber;
  bitrate: number;
}

export class Adapt {
  private readonly budget = new Budget();
  private readonly tracks = new Map<string, Track>();
  /** What comes of the encoders, by what they are told. */
  private excess = 1;

  /** A video track with this captured size; again when the size changes. */
  add(id: string, source: TrackInfo['source'], captured: Size): void {
    const climber = new Climber(ladder(captured, source));
    const before = this.tracks.get(id);
    if (!before) this.budget.more(climber.most);
    // The uplink is the same: what it carried of the old size it carries of the new one.
    climber.index = climber.steps.findIndex((step) => step.least <= (before?.bitrate ?? this.budget.target));
    if (climber.index < 0) climber.index = climber.steps.length - 1;
    this.tracks.set(id, { screen: source === 'screen', climber, bitrate: before?.bitrate ?? climber.step.most });
    this.share();
  }

  remove(id: string): void {
    this.tracks.delete(id);
    this.share();
  }

  /** bit/s for all video together. */
  get target(): number {
    return this.budget.target;
  }

  update(reading: Reading, now: number): void {
    if (this.tracks.size === 0) return;
    const aim = sum(this.tracks.keys(), (id) => this.place(id)!.aim);
    const excess = Math.min(MAX_EXCESS, (reading.video / aim) * this.excess);
    this.excess = Math.max(1, this.excess + (excess - this.excess) * EXCESS_SHARE);
    const climbers = [...this.tracks.values()].map(({ climber }) => climber);
    this.budget.update(reading, sum(climbers, ({ most }) => most), Math.min(...climbers.map(({ step }) => step.fps)), now);
    this.share();
    const { target } = this.budget;
    const calm = this.budget.calm(now);
    const tight = calm < TROUBLE_MS && reading.video > OVER * aim;
    const sure = this.budget.sure(reading.audio) / target;
    for (const { climber, bitrate: budget } of this.tracks.values()) {
      const others = target - budget + reading.audio;
      const proven = (needed: number): boolean => reading.rate > PROOF * (needed + others);
      climber.move({ tight, budget, sure: budget * sure, calm, proven }, now);
    }
  }

  place(id: string): Place | undefined {
    const track = this.tracks.get(id);
    if (!track) return undefined;
    const { climber } = track;
    const { width, height, fps, most } = climber.step;
    const aim = Math.round(Math.min(track.bitrate, most));
    const encoding = { width, height, fps, bitrate: Math.round(aim / this.excess) };
    return { encoding, aim, step: climber.index, steps: climber.steps.length, best: climber.most };
  }

  /** Screens first; cameras have what is left, and some of it in any case. */
  private share(): void {
    const all = [...this.tracks.values()];
    const screens = all.filter(({ screen }) => screen);
    const cameras = all.filter(({ screen }) => !screen);
    const { target } = this.budget;
    const most = cameras.length > 0 ? target * SCREEN_SHARE : target;
    const forScreens = Math.min(most, sum(screens, ({ climber }) => climber.most));
    for (const track of screens) track.bitrate = forScreens / screens.length;
    for (const track of cameras) track.bitrate = (target - forScreens) / cameras.length;
  }
}

function sum<T>(items: Iterable<T>, of: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
