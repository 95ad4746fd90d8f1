// The audio player of one track: packets in, a steady stream of samples out. Pure; runs in the
// AudioWorklet. Times in µs; arrival and output are on one clock, that of the AudioContext.
//
// A sample is due at timestamp + base + target (see jitter.ts). Playing later than that is undone by
// leaving out periods of the sound, playing earlier by repeating some, so neither a change of the
// target nor drift between the clocks can let the delay creep.

import { Concealer } from './conceal';
import { AUDIO_JITTER, JitterTarget } from './jitter';
import { crossfade, findPeriod, lengthen, shorten } from './stretch';
import type { Pcm } from './stretch';

export const SAMPLE_RATE = 48_000;
const US = 1_000_000 / SAMPLE_RATE;

const MAX_QUEUE = 100;
/** Deviations from due that are put right gently, and at once. */
const LATE_US = 8_000;
const VERY_LATE_US = 60_000;
const EARLY_US = 10_000;
const VERY_EARLY_US = 40_000;
/** So late that whole packets are left out. */
const CUT_US = 250_000;
const KEEP_PACKETS = 2;
const GENTLE_EVERY_US = 60_000;
const GOOD_LIKENESS = 0.5;
/** A gap between timestamps that is a gap and not rounding. */
const HOLE_US = 2_000;
/** A gap of more than this is a pause of the speaker, not a loss. */
const PAUSE_US = 500_000;
const JUMP_US = 5_000_000;
const GAP_FRAMES = 240;
const STRETCH_FRAMES = 480;
/** Sound of another path is met so much later than its own time would be, µs at most. */
const MEET_US = 250_000;
/** Timing that is older than this says nothing about now. */
const STALE_US = 30_000_000;

interface Packet {
  us: number;
  pcm: Pcm;
}

export interface PlayerReport {
  /** Timestamp of the sample that goes out at context time atUs; undefined while nothing plays. */
  mediaUs: number | undefined;
  atUs: number;
  /** All in µs. */
  target: number;
  delay: number;
  jitter: number;
  /** Counts since the start, in samples and packets. */
  concealed: number;
  played: number;
  packets: number;
}

export class Player {
  private queue: Packet[] = [];
  /** Produced and not yet taken. */
  private ready: Pcm = [];
  private readyAt = 0;
  /** Timestamp of the next sample to be produced. */
  private playUs: number | undefined;
  private lastArrival = -Infinity;
  private stretchedAt = -Infinity;
  private concealing = true;
  /** The speaker paused, or nothing came yet: the next packet starts when it is due. */
  private paused = true;
  /** Packets were left out: the joint is to be faded. */
  private broken = false;
  private channels = 1;
  private concealed = 0;
  private played = 0;
  private packets = 0;
  private met: number | undefined;
  private readonly timing = new JitterTarget(AUDIO_JITTER);
  private readonly concealer = new Concealer();

  /** Plays no earlier than the same sound does that comes by another path: its output is so much behind its timestamp, µs. */
  meet(behindUs: number | undefined): void {
    this.met = behindUs;
  }

  private get target(): number {
    const { target, base } = this.timing;
    return this.met === undefined ? target : Math.max(target, Math.min(this.met - base, target + MEET_US));
  }

  /** Takes a decoded packet; us is its timestamp. */
  push(us: number, pcm: Pcm, nowUs: number): void {
    if (!pcm[0]?.length) return;
    const newest = this.queue.at(-1)?.us ?? this.playUs;
    if (newest !== undefined && Math.abs(us - newest) > JUMP_US) this.jump();
    if (nowUs - this.lastArrival > STALE_US) this.timing.reset();
    this.lastArrival = nowUs;
    this.timing.observe(nowUs, us);
    this.queue.push({ us, pcm });
    if (this.queue.length > MAX_QUEUE) this.queue.shift();
  }

  private jump(): void {
    this.timing.reset();
    this.queue = [];
    this.playUs = undefined;
  }

  /** Fills out (one array per channel) with the samples that go out at nowUs. */
  pull(out: Pcm, nowUs: number): void {
    const frames = out[0]!.length;
    let done = 0;
    while (done < frames) {
      const left = (this.ready[0]?.length ?? 0) - this.readyAt;
      if (left === 0) {
        this.ready = this.produce(nowUs + done * US);
        this.readyAt = 0;
        continue;
      }
      const n = Math.min(left, frames - done);
      out.forEach((y, c) => {
        const x = this.ready[c] ?? this.ready[0]!;
        y.set(x.subarray(this.readyAt, this.readyAt + n), done);
      });
      this.readyAt += n;
      done += n;
    }
  }

  report(nowUs: number): PlayerReport {
    const left = (this.ready[0]?.length ?? 0) - this.readyAt;
    const mediaUs = this.playUs === undefined || this.concealing ? undefined : this.playUs - left * US;
    return {
      mediaUs,
      atUs: nowUs,
      target: this.target,
      delay: mediaUs === undefined ? 0 : nowUs - mediaUs - this.timing.base,
      jitter: this.timing.jitter,
      concealed: this.concealed,
      played: this.played,
      packets: this.packets,
    };
  }

  /** The next piece of sound, for output from nowUs on. */
  private produce(nowUs: number): Pcm {
    this.cut(nowUs);
    const next = this.queue[0];
    if (!next || !this.isDue(next, nowUs)) return this.gap(nowUs);
    this.queue.shift();
    this.channels = next.pcm.length;
    this.playUs = next.us;
    const joint = this.concealing || this.broken ? this.concealer.take(GAP_FRAMES, this.channels) : undefined;
    this.broken = false;
    this.concealing = false;
    const pcm = this.stretch(next, nowUs);
    if (joint) crossfade(joint, pcm);
    this.concealer.heard(pcm);
    this.playUs = next.us + next.pcm[0]!.length * US;
    this.played += pcm[0]!.length;
    this.packets++;
    return pcm;
  }

  private lateness(us: number, nowUs: number): number {
    return nowUs - us - this.timing.base - this.target;
  }

  /** Leaves out packets that a stall has piled up, down to what is due; what is just late is played. */
  private cut(nowUs: number): void {
    if (!this.queue[0] || this.lateness(this.queue[0].us, nowUs) < CUT_US) return;
    while (this.queue.length > KEEP_PACKETS && this.lateness(this.queue[0].us, nowUs) > 0) {
      const left = this.queue.shift()!;
      this.playUs = left.us + left.pcm[0]!.length * US;
      this.broken = true;
    }
  }

  /** A packet that follows what was played is due at once; behind a hole, or a pause, when its time has come. */
  private isDue(next: Packet, nowUs: number): boolean {
    const follows = this.playUs !== undefined && next.us - this.playUs < HOLE_US;
    if (follows && !this.paused) return true;
    return this.lateness(next.us, nowUs) >= 0;
  }

  private gap(nowUs: number): Pcm {
    const silent = nowUs - this.lastArrival > PAUSE_US;
    this.paused = silent || this.playUs === undefined;
    this.concealing = true;
    if (!this.paused) this.concealed += GAP_FRAMES;
    return this.concealer.take(GAP_FRAMES, this.channels);
  }

  private stretch(packet: Packet, nowUs: number): Pcm {
    this.paused = false;
    const off = this.lateness(packet.us, nowUs);
    const { pcm } = packet;
    const wrong = off > LATE_US || off < -EARLY_US;
    const badly = off > VERY_LATE_US || off < -VERY_EARLY_US;
    const rested = nowUs - this.stretchedAt >= GENTLE_EVERY_US;
    if (!wrong || (!badly && !rested) || pcm[0]!.length < STRETCH_FRAMES) return pcm;
    const { lag, likeness } = findPeriod(pcm, 0);
    if (!badly && likeness < GOOD_LIKENESS) return pcm;
    this.stretchedAt = nowUs;
    return off > 0 ? shorten(pcm, lag) : lengthen(pcm, lag);
  }
}
