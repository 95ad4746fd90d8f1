// Which size, frame rate and bitrate one's own video is encoded with, by one's own uplink only: what others receive is the
// relay's affair. Pure; times in ms. Audio is never adapted, and goes first.

import type { TrackInfo } from '../api';
import { Budget, seen } from './budget';
import type { Reading } from './budget';
import { Layered } from './layered';
import type { Encoding } from './layered';
import type { Size } from './picture';

export type { Encoding } from './layered';

/** What is to come of a layer. */
export interface Made {
  encoding: Encoding;
  /** bit/s that is to come of it. An encoder that makes more than it is told is told less. */
  aim: number;
}

export interface Place extends Made {
  /** On the ladder: 0 is the best of so many. */
  step: number;
  steps: number;
  /** bit/s that the best step can use, with what is made beside it. */
  best: number;
  /** The layers, the smallest first; undefined: not encoded now. */
  layers: (Made | undefined)[];
  /** Which of them there is room for. */
  room: boolean[];
  /** Whether others get less than they would take. */
  lowered: boolean;
}

/** Where there is trouble, and so much more comes from the encoders than they were told, the pictures are too many or too large. */
const OVER = 1.15;
const TROUBLE_MS = 500;
/** How far an encoder is believed to be off, and how fast. */
const MAX_EXCESS = 1.3;
const EXCESS_SHARE = 0.03;
/** A link was seen to take what is wanted where so much more was delivered. */
const PROOF = 1.5;
/** A bitrate this near the best is the best. */
const NEARLY = 0.95;
/** Of the budget, what screens may use where there are cameras too. */
const SCREEN_SHARE = 0.8;

export class Adapt {
  private readonly budget = new Budget();
  private readonly tracks = new Map<string, Layered>();
  /** What comes of the encoders, by what they are told. */
  private excess = 1;

  /** A video track with this captured size, in so many layers; again when the size changes. At first the best one is wanted. */
  add(id: string, source: TrackInfo['source'], captured: Size, layers = 1): void {
    const track = new Layered(source, captured, layers);
    const before = this.tracks.get(id);
    if (before) track.want(before.wanted);
    else this.budget.more(track.climber.most);
    // The uplink is the same: what it carried of the old size it carries of the new one.
    track.climber.start(before?.bitrate ?? this.budget.target);
    this.tracks.set(id, track);
    this.share();
  }

  /** Which layers somebody wants, the smallest first. */
  want(id: string, wanted: readonly boolean[]): void {
    const track = this.tracks.get(id);
    if (!track) return;
    const { most } = track.climber;
    track.want(wanted);
    this.budget.more(Math.max(0, track.climber.most - most));
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
    const aim = sum(this.tracks.values(), (track) => sum(track.encodings(), (encoding) => encoding?.bitrate ?? 0));
    const excess = aim > 0 ? Math.min(MAX_EXCESS, (reading.video / aim) * this.excess) : 1;
    this.excess = Math.max(1, this.excess + (excess - this.excess) * EXCESS_SHARE);
    const climbers = [...this.tracks.values()].map(({ climber }) => climber);
    this.budget.update(reading, sum(climbers, ({ most }) => most), Math.min(...climbers.map(({ step }) => step.fps)), now);
    this.share();
    const { target } = this.budget;
    const calm = this.budget.calm(now);
    const tight = calm < TROUBLE_MS && reading.video > OVER * aim;
    const sure = this.budget.sure(reading.audio) / target;
    for (const { climber, bitrate: budget, leads } of this.tracks.values()) {
      const others = target - budget + reading.audio;
      const proven = (needed: number): boolean => reading.rate > PROOF * (needed + others);
      const shown = (needed: number): boolean => seen(reading) > PROOF * (needed + others);
      climber.move({ tight: tight && leads, budget, sure: budget * sure, calm, proven, shown }, now);
    }
  }

  /** Whether others get less of any track than they would take. */
  get lowered(): boolean {
    return [...this.tracks.keys()].some((id) => this.place(id)!.lowered);
  }

  /** How long nothing has waited too long, ms. */
  calm(now: number): number {
    return this.budget.calm(now);
  }

  place(id: string): Place | undefined {
    const track = this.tracks.get(id);
    if (!track) return undefined;
    const { climber, lead, leads } = track;
    const layers = track.encodings().map((encoding) => encoding && this.made(encoding));
    const { width, height, fps, most } = climber.step;
    const best = layers.findLast((layer) => layer !== undefined) ?? this.made({ width, height, fps, bitrate: Math.min(track.bitrate, most) });
    const { index: step, steps, most: all } = climber;
    const lowered = lead < layers.length - 1 || (leads && (step > 0 || track.bitrate < NEARLY * all));
    return { ...best, step, steps: steps.length, best: all, layers, room: layers.map((_, i) => i <= lead), lowered };
  }

  private made(encoding: Encoding): Made {
    const aim = Math.round(encoding.bitrate);
    return { aim, encoding: { ...encoding, bitrate: Math.round(aim / this.excess) } };
  }

  /** Screens first; cameras have what is left, and some of it in any case. What nobody watches has what the others leave. */
  private share(): void {
    const tracks = [...this.tracks.values()];
    const watched = tracks.filter((track) => track.watched);
    for (const track of tracks) track.bitrate = this.budget.target;
    const all = watched.length > 0 ? watched : tracks;
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
