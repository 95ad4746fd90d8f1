// How many bits a second one's own uplink has for video. Pure; times in ms. Down at once when something waits too long, here
// or on the path; up in small parts, and with care where the link was seen full before.

/** What is known of the uplink, a few times a second. */
export interface Reading {
  /** bit/s that the path takes where it was seen full of late, else 0; and the most that was seen to be delivered. */
  capacity: number;
  rate: number;
  /** What the path was seen to take for a moment of late, full or not; 0 where it is not known. */
  shown: number;
  /** How long messages queue on the path, and how long the oldest frame waits here, ms. */
  delay: number;
  queueAge: number;
  /** What audio and video use, bit/s. */
  audio: number;
  video: number;
}

/** Waiting that is too long, here or there; at a low frame rate a key frame alone takes longer. */
const TOO_LONG_MS = 100;
const TOO_LONG_FRAMES = 2;
/** Of the capacity, what is used: key frames must pass without a queue to speak of. */
const USE = 0.85;
/** Where it is full again a second later, the capacity was thought too high. */
const AGAIN_MS = 1_000;
/** Calm for so long before it goes up. */
const CALM_MS = 1_000;
/** Growth a second. Where nothing speaks against it; and where the link was full before, or little of what there is is used. */
const FAST = 0.15;
/** Where more than twice as much was delivered already. */
const FASTER = 0.3;
const SLOW = 0.01;
/** Used means this much of it. */
const USED = 0.6;
/** What was delivered so far above the capacity shows that it has grown; or what was sent without anything waiting. */
const PROOF = 1.25;
const PASSED = 1.1;
/** A moment tells less: so much of what it showed counts as delivered. */
const MOMENT = 0.75;
/** Headers of TCP and IP, which nobody counts, are nearly half as long as a packet of sound. */
const AUDIO_COST = 1.4;
/** What is tried of an uplink of which nothing is known. */
const START = 4_000_000;
const LEAST = 20_000;
const MAX_STEP_MS = 500;
/** Trouble that comes again within this is one trouble; so soon after it a proof that it was none takes the lowering back. */
const EPISODE_MS = 1_000;
/** Trouble for so long is no moment's standstill of a machine or a radio, behind which all comes at once. */
const SURE_MS = 250;
/** In so long a trouble halves the target at most. */
const HALF_MS = 500;
const UNDO_MS = 3_000;
const UNDO_PROOF = 1.5;
/** Of what fits by the capacity, which errs, what is not gone below. */
const ENOUGH = 0.75;

/** The most that the path was seen to take, bit/s. */
export const seen = ({ rate, shown }: Reading): number => Math.max(rate, MOMENT * shown);

export class Budget {
  /** bit/s for all video together. */
  target = START;
  /** What the path took when it was last full, bit/s; undefined when it has been seen to take more since, or never full. */
  ceiling: number | undefined;
  private updatedAt = -Infinity;
  private loweredAt = -Infinity;
  private troubleAt = -Infinity;
  /** The target when the trouble began, and when there had been trouble before that. */
  private before = 0;
  private troubleBefore = -Infinity;
  /** When this trouble began. */
  private since = -Infinity;

  /** most: what all video together could use; fps: of the slowest. */
  update(reading: Reading, most: number, fps: number, now: number): void {
    const passed = Math.min(now - this.updatedAt, MAX_STEP_MS);
    this.updatedAt = now;
    this.target = Math.min(this.target, most);
    const tooLong = Math.max(TOO_LONG_MS, (TOO_LONG_FRAMES * 1000) / fps);
    if (reading.queueAge > tooLong || reading.delay > tooLong) this.lower(reading, now);
    else this.raise(reading, most, passed / 1000, now);
    this.target = Math.max(LEAST, Math.min(this.target, most));
  }

  /** One track more: there is room for it, as far as is known. */
  more(bitrate: number): void {
    if (this.ceiling === undefined) this.target = Math.max(this.target, Math.min(this.target + bitrate, START));
  }

  /** How long nothing has waited too long, ms. */
  calm(now: number): number {
    return now - this.troubleAt;
  }

  /** What is surely there, bit/s: growth that only tries out where a full link ends does not count. */
  sure(audio: number): number {
    return this.ceiling === undefined ? this.target : Math.min(this.target, this.fits(this.ceiling, audio));
  }

  /** What a link of this capacity has for video, bit/s. */
  private fits(capacity: number, audio: number): number {
    return USE * capacity - AUDIO_COST * audio;
  }

  private lower({ capacity, audio }: Reading, now: number): void {
    if (this.calm(now) > EPISODE_MS) {
      this.before = this.target;
      this.troubleBefore = this.troubleAt;
      this.since = now;
    }
    this.troubleAt = now;
    if (now - this.since < SURE_MS) {
      this.target = Math.min(this.target, USE * this.before);
      return;
    }
    // One sample of the capacity errs: the longer the trouble, the more it is believed.
    const least = this.before * 0.5 ** ((now - this.since) / HALF_MS);
    const fits = capacity > 0 ? Math.max(least, this.fits(capacity, audio)) : Infinity;
    if (capacity > 0) this.ceiling = capacity;
    if (fits < this.target) this.target = fits;
    else if (now - this.loweredAt < AGAIN_MS) return;
    else this.target = Math.max(this.target * USE, Math.min(this.target, ENOUGH * fits));
    this.loweredAt = now;
  }

  /** The path was not full: something stood still for a moment, a machine or a radio. */
  private undo(fits: number): void {
    this.target = Math.max(this.target, Math.min(this.before, fits));
    this.troubleAt = this.troubleBefore;
  }

  private raise(reading: Reading, most: number, seconds: number, now: number): void {
    const { ceiling, target } = this;
    const { rate, audio, video } = reading;
    const takes = seen(reading);
    if (ceiling !== undefined && (takes > PROOF * ceiling || target + audio > PASSED * ceiling)) {
      this.ceiling = undefined;
      if (this.calm(now) < UNDO_MS && rate > UNDO_PROOF * ceiling) this.undo(this.fits(rate, audio));
    }
    if (this.target >= most || this.calm(now) < CALM_MS) return;
    const free = this.ceiling === undefined || this.target < 0.99 * this.fits(this.ceiling, audio);
    const used = video > USED * this.target || takes > PROOF * (this.target + audio);
    const fast = takes > 2 * (this.target + audio) ? FASTER : FAST;
    this.target *= 1 + (free && used ? fast : SLOW) * seconds;
    // What the link was seen to take is reached fast, what is above it slowly.
    if (free && this.ceiling !== undefined) this.target = Math.min(this.target, this.fits(this.ceiling, audio));
  }
}
