// Reads the uplink ten times a second, and has the video encoders make what it carries.

import type { TrackInfo, UplinkStats, VideoSent } from '../api';
import { nowUs } from '../session/clock';
import type { Link } from '../session/link';
import { Adapt } from './adapt';
import type { Place } from './adapt';
import type { Reading } from './budget';
import type { Skip } from './encode-layer';
import type { Encoding } from './layered';
import { layerSizes } from './layers';
import { Meter } from './meter';
import { SKIP_AGE_MS } from './pace';
import { Padding } from './padding';
import type { Size } from './picture';
import type { Uplink, UplinkTrack } from './uplink';

const TICK_MS = 100;
/** A look that comes so late tells of this machine, which had no time, and not of the path. */
const LATE_MS = 200;
/** A device that left out pictures so lately is slow. */
const SLOW_DEVICE_MS = 5_000;

/** Who encodes the pictures. */
export interface Maker {
  readonly source: TrackInfo['source'];
  readonly layers: number;
  /** Frames encoded so far, of each layer. */
  readonly frames: readonly number[];
  /** Better pictures are to be had, or pictures of a layer: a still one is worth encoding again. */
  renew(layer?: number): void;
  /** The layers that there is room for may be others than before. */
  roomChanged(): void;
}

interface Video {
  captured: Size;
  maker: Maker;
  slowAt: number;
}

export class Adapting {
  private readonly adapt = new Adapt();
  private readonly videos = new Map<string, Video>();
  private readonly meters = { audio: new Meter(), video: new Meter() };
  private readonly padding = new Padding();
  private reading: Reading = { capacity: 0, rate: 0, shown: 0, delay: 0, queueAge: 0, audio: 0, video: 0 };
  private timer: ReturnType<typeof setInterval> | undefined;
  private tickedAt = 0;

  constructor(
    private readonly uplink: Uplink,
    private readonly link: () => Link | undefined,
  ) {}

  /** What to make of pictures of this size, in each layer; called for each of them. */
  encodings(id: string, captured: Size, maker: Maker): (Encoding | undefined)[] {
    const known = this.videos.get(id);
    if (known?.captured.width !== captured.width || known.captured.height !== captured.height) {
      this.videos.set(id, { captured, maker, slowAt: known?.slowAt ?? -Infinity });
      this.adapt.add(id, maker.source, captured, maker.layers);
    }
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
    return this.adapt.place(id)!.layers.map((layer) => layer?.encoding);
  }

  /** Somebody takes these layers of a track, the smallest first; a picture of one that is new is wanted at once. */
  want(id: string, wanted: readonly boolean[]): void {
    const before = this.made(id);
    this.adapt.want(id, wanted);
    const { maker } = this.videos.get(id) ?? {};
    this.made(id).forEach((made, i) => made && !before[i] && maker?.renew(i));
    maker?.roomChanged();
  }

  private made(id: string): boolean[] {
    return this.adapt.place(id)?.layers.map((layer) => layer !== undefined) ?? [];
  }

  /** The sizes of a track's layers, the smallest first. */
  sizes(id: string): Size[] {
    const video = this.videos.get(id);
    return video ? layerSizes(video.captured, video.maker.source, video.maker.layers) : [];
  }

  /** Which of them there is room for. */
  room(id: string): boolean[] {
    return this.adapt.place(id)?.room ?? [];
  }

  remove(id: string): void {
    this.videos.delete(id);
    this.adapt.remove(id);
    if (this.videos.size === 0) this.stop();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Why a frame that is encoded now has no chance to go out in time. */
  obstacle(track: UplinkTrack): Skip | undefined {
    if (!this.link() || (!track.alias && track.gated)) return 'lost';
    return track.alias && track.age(performance.now()) > SKIP_AGE_MS ? 'uplink' : undefined;
  }

  skipped(id: string, why: Skip): void {
    this.uplink.count(why, 1);
    const video = this.videos.get(id);
    if (video && why === 'encoder') video.slowAt = performance.now();
  }

  private tick(): void {
    const link = this.link();
    const now = performance.now();
    const late = now - this.tickedAt > LATE_MS;
    this.tickedAt = now;
    if (!link || late) return;
    this.read(link);
    const before = new Map([...this.videos.keys()].map((id) => [id, this.adapt.place(id)?.step ?? 0] as const));
    this.adapt.update(this.reading, now);
    for (const [id, { maker }] of this.videos) {
      if (this.adapt.place(id)!.step < before.get(id)!) maker.renew();
      maker.roomChanged();
    }
    this.pad(link, now);
  }

  /** Tries whether the uplink has become better. */
  private pad(link: Link, now: number): void {
    const { rate } = link;
    const { lowered } = this.adapt;
    rate.watch(lowered);
    const capacity = rate.capacity(nowUs());
    const standing = { lowered, calm: this.adapt.calm(now), waiting: this.uplink.waiting, inFlight: rate.inFlight, window: rate.window, capacity };
    for (const message of this.padding.due(standing, now)) link.sendBinary(message);
  }

  private read(link: Link): void {
    const { rate } = link;
    const now = performance.now();
    const { fixed, video } = this.uplink.sent;
    this.reading = {
      capacity: rate.capacity(nowUs()) * 8,
      rate: rate.rate * 8,
      shown: rate.shown(nowUs()) * 8,
      delay: rate.delay / 1000,
      queueAge: this.uplink.age(now),
      audio: this.meters.audio.read(fixed, now),
      video: this.meters.video.read(video, now),
    };
  }

  stats(): UplinkStats {
    const link = this.link();
    if (link) this.read(link);
    const { capacity, delay, queueAge, audio, video } = this.reading;
    return {
      bitrate: audio + video,
      capacity,
      queueAge,
      delay,
      rtt: (link?.rate.rtt ?? 0) / 1000,
      window: link?.rate.window ?? 0,
      drops: { ...this.uplink.drops },
      video: [...this.videos].map(([id, video]) => sentAs(id, video, this.adapt.place(id)!)),
    };
  }
}

function sentAs(track: string, { slowAt, captured, maker }: Video, place: Place): VideoSent {
  const { encoding, aim, step, steps, lowered } = place;
  const slow = performance.now() - slowAt < SLOW_DEVICE_MS;
  const layers = layerSizes(captured, maker.source, maker.layers).map(({ height }, i) => ({
    height,
    bitrate: place.layers[i]?.aim ?? 0,
    room: place.room[i] ?? true,
    frames: maker.frames[i] ?? 0,
  }));
  const why = lowered ? 'connection' : slow ? 'device' : undefined;
  return { track, ...encoding, bitrate: aim, step, steps, layers, ...(why && { why }) };
}
