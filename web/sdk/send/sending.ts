// Everything this member sends as media: captures, encoders, the queue, and how it drains into the link.

import type { ToPage } from '../bridge';
import type { FileStreamWhy, UplinkStats, TrackInfo } from '../api';
import { nowUs } from '../session/clock';
import type { Joined, ServerMessage } from '../wire/messages';
import { Adapting } from './adapting';
import type { Maker } from './adapting';
import { CaptureClock } from './capture-clock';
import type { Clock } from './capture-clock';
import { AudioEncode } from './encode-audio';
import { VideoEncode } from './encode-video';
import type { VideoSink } from './encode-video';
import { layerCount } from './layers';
import { Publications } from './publications';
import type { Format, PublicationsHost, Publisher } from './publications';
import { Pump } from './pump';
import type { PumpHost } from './pump';
import { probeTemporal } from './temporal';
import { Uplink } from './uplink';
import type { OutFrame, UplinkTrack } from './uplink';

export interface SendingHost extends PublicationsHost, PumpHost {
  post(message: ToPage): void;
  ownLevel(level: number, voice: boolean): void;
  /** One's own tracks are others than before. */
  tracksChanged(): void;
}

type Data = VideoFrame | AudioData;

interface Capture {
  readonly id: string;
  /** Of each layer, the smallest first; those below the best one come with the first picture, which tells how many there are. */
  uplinks: UplinkTrack[];
  encode: VideoEncode | AudioEncode | undefined;
  start: (clock: Clock, capture: Capture, data: Data) => VideoEncode | AudioEncode;
  /** The call that published it, and the one that still waits for an answer, if any. */
  readonly from: number;
  call: number;
  /** Of a track of a file: it cannot go on. */
  failed?: (why: FileStreamWhy) => void;
}

export class Sending {
  private readonly uplink = new Uplink();
  private readonly pump: Pump;
  private readonly adapting: Adapting;
  private readonly publications: Publications;
  private readonly captures = new Map<string, Capture>();
  /** The clock that the platform's capture tracks share. */
  private readonly platformClock = new CaptureClock();

  constructor(private readonly host: SendingHost) {
    this.publications = new Publications(host);
    this.pump = new Pump(this.uplink, host);
    this.adapting = new Adapting(this.uplink, () => host.link());
  }

  publish(call: number, id: string, kind: TrackInfo['kind'], source: TrackInfo['source']): void {
    if (kind === 'video') void probeTemporal();
    if (this.captures.has(id)) return this.host.post({ is: 'failed', call, code: 'track-exists', text: `${id} is published already` });
    const uplink = this.uplink.add(id, kind === 'audio' ? 'audio' : source === 'screen' ? 'screen' : 'video');
    const start = kind === 'audio' ? this.audioStart(id, source, uplink) : this.videoStart(id, source);
    const capture: Capture = { id, uplinks: [uplink], encode: undefined, start, from: call, call };
    this.captures.set(id, capture);
    this.publications.add({ id, kind, source, codec: kind === 'audio' ? 'opus' : 'vp8' }, this.publisher(capture));
  }

  /**
   * Publishes a track of a file. carried: how its frames are announced, which go as they are; without it, what decoded() gets is
   * encoded. failed is called where the track cannot go on.
   */
  publishFile(id: string, kind: TrackInfo['kind'], carried: { codec: string; format: Format } | undefined, failed: (why: FileStreamWhy) => void): void {
    const uplink = this.uplink.add(id, kind, '', carried !== undefined);
    if (kind === 'video' && !carried) void probeTemporal();
    const start = kind === 'audio' ? this.audioStart(id, 'file', uplink) : this.videoStart(id, 'file');
    const capture: Capture = { id, uplinks: [uplink], encode: undefined, start, from: 0, call: 0, failed };
    this.captures.set(id, capture);
    const codec = carried?.codec ?? (kind === 'audio' ? 'opus' : 'vp8');
    this.publications.add({ id, kind, source: 'file', codec }, this.publisher(capture, !carried));
    if (carried) this.format(id, carried.format);
  }

  private publisher(capture: Capture, keyOnRequest = true): Publisher {
    const { adapting } = this;
    const { id } = capture;
    return {
      keyOnRequest,
      get uplinks() {
        return capture.uplinks;
      },
      get sizes() {
        return adapting.sizes(id);
      },
      get room() {
        return adapting.room(id);
      },
      forceKey: (layer) => capture.encode instanceof VideoEncode && capture.encode.forceKey(layer),
      wanted: (layers) => this.wanted(capture, layers),
      accepted: () => this.accepted(capture),
      refused: (code, text) => this.refused(id, capture, code, text),
    };
  }

  /** What the relay says of layers: where it gave one alias, of the best. */
  private wanted({ id, uplinks }: Capture, layers: readonly boolean[]): void {
    const less = uplinks.length - layers.length;
    this.adapting.want(id, uplinks.map(({ alias }, i) => alias > 0 && (layers[i - less] ?? false)));
  }

  /** The platform's frames of what was published with this call; they may come after it is over. */
  frames(call: number, readable: ReadableStream<Data>): void {
    void this.read([...this.captures.values()].find(({ from }) => from === call), readable.getReader());
  }

  private accepted(capture: Capture): void {
    if (capture.call) this.host.post({ is: 'done', call: capture.call });
    capture.call = 0;
    // Until the relay says otherwise, all layers are wanted.
    this.wanted(capture, capture.uplinks.map(() => true));
    this.pump.run();
  }

  private refused(id: string, capture: Capture, code: string, text: string): void {
    if (capture.failed) capture.failed({ code, text });
    else if (capture.call) this.host.post({ is: 'failed', call: capture.call, code, text });
    else this.host.post({ is: 'notice', code, text });
    capture.call = 0;
    this.unpublish(id);
  }

  /**
   * Reads until the track is over, and then one frame more: a stream is cancelled only between two reads, since the frame
   * that is on its way to a read belongs to nobody when the stream ends under it, and Chromium never closes it.
   */
  private async read(capture: Capture | undefined, reader: ReadableStreamDefaultReader<Data>): Promise<void> {
    const id = capture?.id ?? '';
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (done || !value) break;
      if (!capture || this.captures.get(id) !== capture) {
        value.close();
        void reader.cancel().catch(() => undefined);
        return;
      }
      this.feed(id, capture, value, this.platformClock);
    }
    if (capture && this.captures.get(id) === capture) this.unpublish(id);
  }

  /** Something that the page captured itself. */
  captured(id: string, data: Data): void {
    const capture = this.captures.get(id);
    if (capture) this.feed(id, capture, data, undefined);
    else data.close();
  }

  /** Whether there is a track with this id. */
  publishes(id: string): boolean {
    return this.captures.has(id);
  }

  /** A frame of a file, as it is. */
  frame(id: string, frame: OutFrame): void {
    const uplink = this.captures.get(id)?.uplinks[0];
    if (uplink) this.send(uplink, frame);
  }

  /** What was decoded of a file, whose times are those of this clock. */
  decoded(id: string, data: Data, clock: Clock): void {
    const capture = this.captures.get(id);
    if (capture) this.push(id, capture, data, () => clock);
    else data.close();
  }

  /** Whether something of a track waits for the link. */
  waits(id: string): boolean {
    return this.captures.get(id)?.uplinks.some(({ waiting }) => waiting) ?? false;
  }

  private feed(id: string, capture: Capture, data: Data, shared: CaptureClock | undefined): void {
    const fits = shared?.fits(data.timestamp, nowUs());
    this.push(id, capture, data, () => (fits && shared ? shared : new CaptureClock()));
  }

  /** clock: that of the encoder, if there is none yet. */
  private push(id: string, capture: Capture, data: Data, clock: () => Clock): void {
    try {
      if (!capture.encode) {
        capture.encode = capture.start(clock(), capture, data);
        capture.encode.pause(this.publications.isMuted(id));
      }
      (capture.encode as { push(data: Data): void }).push(data);
    } catch (error) {
      // Not taken over when there is no encoder; closing twice does no harm.
      data.close();
      this.fail(id, error instanceof Error ? error.message : 'encoder');
    }
  }

  private videoStart(id: string, source: TrackInfo['source']): Capture['start'] {
    return (clock, capture, data) => {
      const { uplinks } = capture;
      const layers = layerCount({ width: (data as VideoFrame).displayWidth, height: (data as VideoFrame).displayHeight }, source);
      while (uplinks.length < layers) uplinks.unshift(this.uplink.add(id, uplinks[0]!.cls, `/${uplinks.length}`));
      const maker: Maker = {
        source,
        layers,
        get frames() {
          return encode.frames;
        },
        renew: (layer) => this.renew(encode, source, layer),
        roomChanged: () => this.publications.encoding(id),
      };
      const encode: VideoEncode = new VideoEncode(source, clock, this.videoSink(capture, maker), layers);
      return encode;
    };
  }

  private videoSink({ id, uplinks }: Capture, maker: Maker): VideoSink {
    return {
      format: (format) => this.format(id, format),
      frame: (layer, frame) => this.send(uplinks[layer]!, frame),
      encodings: (captured) => this.adapting.encodings(id, captured, maker),
      obstacle: (layer) => this.adapting.obstacle(uplinks[layer]!),
      gated: (layer) => uplinks[layer]!.gated,
      skipped: (why) => this.adapting.skipped(id, why),
      failed: (text) => this.fail(id, text),
    };
  }

  private audioStart(id: string, source: TrackInfo['source'], uplink: UplinkTrack): Capture['start'] {
    return (clock) =>
      new AudioEncode(source, clock, {
        format: (format) => this.format(id, format),
        // What a file says is not said by its member.
        frame: source === 'file' ? (frame) => this.send(uplink, { ...frame, voice: false }) : (frame) => this.sendVoice(uplink, frame),
        failed: (text) => this.fail(id, text),
      });
  }

  private sendVoice(uplink: UplinkTrack, frame: OutFrame): void {
    this.host.ownLevel(frame.level ?? 0, frame.voice ?? false);
    this.send(uplink, frame);
  }

  private fail(id: string, text: string): void {
    const capture = this.captures.get(id);
    if (capture) this.refused(id, capture, 'encoder', text);
  }

  private format(id: string, format: Format): void {
    this.publications.setFormat(id, format);
    this.host.tracksChanged();
  }

  /** A camera shows better pictures with its next frame; a screen may stand still for long. */
  private renew(encode: VideoEncode, source: TrackInfo['source'], layer: number | undefined): void {
    if (source === 'screen') encode.forceKey(layer);
  }

  private send(uplink: UplinkTrack, frame: OutFrame): void {
    if (!this.host.link()) return this.uplink.count('lost', 1);
    if (this.publications.isMuted(uplink.id)) return;
    uplink.push(frame, performance.now());
    this.pump.run();
  }

  mute(id: string, muted: boolean): void {
    const capture = this.captures.get(id);
    if (!capture) return;
    this.publications.mute(id, muted);
    this.host.tracksChanged();
    capture.encode?.pause(muted);
    for (const uplink of muted ? capture.uplinks : []) {
      const abandoned = uplink.hush();
      if (abandoned) this.host.sendBinary(abandoned);
    }
  }

  unpublish(id: string): void {
    const capture = this.captures.get(id);
    if (!capture) return;
    this.captures.delete(id);
    this.publications.remove(id);
    this.uplink.remove(id);
    this.adapting.remove(id);
    capture.encode?.close();
    if (capture.call) this.host.post({ is: 'failed', call: capture.call, code: 'unpublished', text: `${id} ended before it was published` });
    this.host.post({ is: 'unpublished', id });
    this.host.tracksChanged();
  }

  close(): void {
    for (const id of [...this.captures.keys()]) this.unpublish(id);
    this.pump.stop();
    this.adapting.stop();
  }

  /** The relay knows layers, or does not. */
  set layered(layered: boolean) {
    this.publications.layered = layered;
  }

  offers(): ReturnType<Publications['offers']> {
    return this.publications.offers();
  }

  tracks(): TrackInfo[] {
    return this.publications.tracks();
  }

  joined(message: Joined): void {
    this.pump.joined();
    this.publications.reconcile(message);
  }

  lost(): void {
    this.publications.lost();
    this.uplink.reset();
  }

  control(message: ServerMessage): boolean {
    return this.publications.apply(message);
  }

  /** There may be room, or something to send. */
  run(): void {
    this.pump.run();
  }

  stats(): UplinkStats {
    return this.adapting.stats();
  }
}
