// Test support: a page that sends audio and a camera over a simulated uplink, with everything of send/ but the encoder.

import { Adapt } from './adapt';
import type { Encoding, Place } from './adapt';
import { Meter } from './meter';
import { RateController } from './rate';
import { chunkSize, Uplink } from './uplink';
import type { UplinkTrack } from './uplink';
import { SKIP_AGE_MS, Pace } from './pace';
import { Padding } from './padding';
import { KIND_PADDING } from '../wire/wire';

const TICK_MS = 100;
const KEY_EVERY_MS = 3_900;
/** As Chromium's encoder was seen to make them: a key frame is three times a common frame. */
const KEY_FACTOR = 3;
const OVERHEAD = 8;

export interface Sample {
  at: number;
  target: number;
  sent: number;
  queueAge: number;
  delay: number;
  window: number;
  step: number;
  /** Which layers are made. */
  layers: boolean[];
}

/** The alias of the sound; those of the camera's layers follow. */
const MIC = 1;

/** One layer of the camera. */
interface Camera {
  readonly track: UplinkTrack;
  readonly pace: Pace;
  keyAt: number;
  size: string;
}

interface Onward {
  at: number;
  size: number;
  sentAt: number;
  made: number;
  audio: boolean;
  last: boolean;
}

/** A generator of numbers from 0 to 1 that gives the same ones for the same seed. */
export function seeded(seed: number): () => number {
  let x = seed;
  return () => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    return x / 2 ** 32;
  };
}

export class Simulation {
  readonly samples: Sample[] = [];
  /** When frames came whole at the far end, and how old sound was there, ms. */
  readonly pictures: number[] = [];
  readonly sound: { at: number; age: number }[] = [];
  readonly changes: { at: number; step: number }[] = [];
  packets = 0;
  private readonly rate = new RateController();
  private readonly uplink = new Uplink();
  private readonly adapt = new Adapt();
  private readonly cameras: Camera[];
  private readonly mic: UplinkTrack;
  private readonly random: () => number;
  private onWay: Onward[] = [];
  private acks: { at: number; bytes: number; came: number }[] = [];
  private free = 0;
  private got = { bytes: 0, since: 0, messages: 0, came: 0, due: Infinity };
  private readonly meters = { audio: new Meter(), video: new Meter() };
  private readonly padding = new Padding();

  constructor(
    /** Bytes a second of the uplink at a time. */
    private readonly link: (ms: number) => number,
    private readonly delayMs = 30,
    captured = { width: 640, height: 360 },
    seed = 1,
    /** When the page stands still: nothing is captured or sent; and when the relay does: nothing is received. */
    private readonly still: (ms: number) => boolean = () => false,
    private readonly relayStill: (ms: number) => boolean = () => false,
    /** Of the camera, all of which somebody wants. */
    layers = 1,
    /** How much larger key frames are. */
    private readonly keyFactor = KEY_FACTOR,
  ) {
    this.random = seeded(seed);
    this.mic = this.uplink.add('mic', 'audio');
    this.mic.alias = MIC;
    this.cameras = Array.from({ length: layers }, (_, i) => {
      const track = this.uplink.add(`camera ${i}`, 'video');
      track.alias = MIC + 1 + i;
      return { track, pace: new Pace(), keyAt: -Infinity, size: '' };
    });
    this.adapt.add('camera', 'camera', captured, layers);
    this.adapt.want('camera', this.cameras.map(() => true));
  }

  get place(): Place {
    return this.adapt.place('camera')!;
  }

  run(untilMs: number, fromMs = 0): void {
    for (let now = fromMs; now < untilMs; now++) {
      if (!this.relayStill(now)) this.receive(now);
      if (this.still(now)) continue;
      this.capture(now);
      while (this.acks[0] && this.acks[0].at <= now) {
        const { bytes, came } = this.acks.shift()!;
        this.rate.onAck(bytes, came, now * 1000);
      }
      this.pump(now);
      if (now % TICK_MS === 0) this.tick(now);
    }
  }

  private capture(now: number): void {
    if (now % 20 === 0) {
      this.packets++;
      this.mic.push({ data: new Uint8Array(80), key: true, config: false, timestamp: now }, now);
    }
    if (Math.floor((now * 30) / 1000) === Math.floor(((now - 1) * 30) / 1000)) return;
    this.place.layers.forEach((layer, i) => layer && this.encode(this.cameras[i]!, layer.encoding, now));
  }

  private encode(camera: Camera, { width, fps, bitrate }: Encoding, now: number): void {
    const { track } = camera;
    if (!camera.pace.due(now * 1000, fps) || track.age(now) > SKIP_AGE_MS) return;
    const key = track.gated || camera.size !== `${width}` || now - camera.keyAt >= KEY_EVERY_MS;
    camera.size = `${width}`;
    if (key) camera.keyAt = now;
    const size = Math.round((bitrate / 8 / fps) * (0.7 + 0.6 * this.random()) * (key ? this.keyFactor : 1));
    track.push({ data: new Uint8Array(size), key, config: false, timestamp: now }, now);
  }

  private pump(now: number): void {
    for (const abandon of this.uplink.expire(now)) this.transmit(abandon, now);
    const size = chunkSize(this.rate.capacity(now * 1000) || this.rate.rate);
    while (this.rate.room() > 0) {
      const chunk = this.uplink.next(size);
      if (!chunk) break;
      this.transmit(chunk, now);
    }
    if (this.uplink.ready) this.rate.wait(now * 1000);
  }

  private transmit(data: Uint8Array, now: number): void {
    const audio = data[3] === MIC;
    this.rate.onSent(data.length, now * 1000);
    this.free = Math.max(this.free, now) + ((data.length + OVERHEAD) * 1000) / this.link(now);
    const made = data[0] !== KIND_PADDING && data.length > 12 ? new DataView(data.buffer, data.byteOffset).getUint32(12) : 0;
    this.onWay.push({ at: this.free + this.delayMs, size: data.length, sentAt: now, made, audio, last: (data[1]! & 2) !== 0 });
  }

  private receive(now: number): void {
    const { got } = this;
    while (this.onWay[0] && this.onWay[0].at <= now) {
      const { size, made, audio, last, at } = this.onWay.shift()!;
      got.bytes += size;
      got.since += size;
      got.came = Math.round(now - at < 1 ? at * 1000 : now * 1000);
      got.due = Math.min(got.due, ++got.messages <= 16 ? now : now + this.rate.ackEvery(now * 1000) / 1000);
      if (audio) this.sound.push({ at: now, age: now - made });
      else if (last) this.pictures.push(now);
    }
    if (got.since < 16_384 && now < got.due) return;
    this.acks.push({ at: now + this.delayMs, bytes: got.bytes, came: got.came });
    got.since = 0;
    got.due = Infinity;
  }

  private tick(now: number): void {
    const before = this.place;
    const queueAge = this.uplink.age(now);
    const reading = {
      capacity: this.rate.capacity(now * 1000) * 8,
      rate: this.rate.rate * 8,
      shown: this.rate.shown(now * 1000) * 8,
      delay: this.rate.delay / 1000,
      queueAge,
      audio: this.meters.audio.read(this.uplink.sent.fixed, now),
      video: this.meters.video.read(this.uplink.sent.video, now),
    };
    this.adapt.update(reading, now);
    this.pad(now);
    const { step, layers } = this.place;
    if (step !== before.step) this.changes.push({ at: now, step });
    const { window } = this.rate;
    this.samples.push({ at: now, target: this.place.aim, sent: reading.video, queueAge, delay: reading.delay, window, step, layers: layers.map(Boolean) });
  }

  private pad(now: number): void {
    const { rate, uplink } = this;
    const { lowered } = this.adapt;
    rate.watch(lowered);
    const standing = { lowered, calm: this.adapt.calm(now), waiting: uplink.waiting, inFlight: rate.inFlight, window: rate.window, capacity: rate.capacity(now * 1000) };
    for (const message of this.padding.due(standing, now)) this.transmit(message, now);
  }
}
