// Captured pictures to VP8. Owns the encoder, the choice of key frames, and every VideoFrame given to it.

import type { TrackInfo } from '../api';
import { nowUs } from '../session/clock';
import type { Offer } from '../wire/messages';
import type { CaptureClock } from './capture-clock';
import { Monotonic } from './capture-clock';
import type { Encoding } from './adapt';
import { Pace } from './pace';
import type { Size } from './picture';
import { Still } from './still';
import type { OutFrame } from './uplink';

const KEY_EVERY_US = 3_900_000;
/** A still picture is encoded again when a key frame is wanted and none came for this long, ms. */
const STILL_MS = 100;
const MAX_ENCODE_QUEUE = 2;
const MAX_FAULTS = 5;
/** A bitrate that differs by less is not worth telling the encoder. */
const SAME_BITRATE = 0.04;

/** Why a frame was left out before it was encoded: nothing gets through, the uplink is full, the encoder is slow. */
export type Skip = 'lost' | 'uplink' | 'encoder';

export type VideoFormat = Pick<Offer, 'codecString' | 'width' | 'height' | 'colour'>;

export interface VideoSink {
  /** What was encoded first, or first after a change of size: told before the frame. */
  format(format: VideoFormat): void;
  frame(frame: OutFrame): void;
  /** What to make of pictures of this size. */
  encoding(captured: Size): Encoding;
  /** Why a frame that is encoded now has no chance to go out in time; undefined when it has. */
  obstacle(): Skip | undefined;
  /** Whether the next frame must be a key frame. */
  gated(): boolean;
  skipped(why: Skip): void;
  /** The encoder failed for good. */
  failed(text: string): void;
}

export class VideoEncode {
  private encoder: VideoEncoder;
  /** What the encoder was last told. */
  private told: Encoding | undefined;
  private readonly pace = new Pace();
  private keyAt = -Infinity;
  private keyWanted = true;
  private announced = '';
  private faults = 0;
  private paused = false;
  private closed = false;
  private stillTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly stamps = new Monotonic();
  private readonly still = new Still();

  constructor(
    private readonly source: TrackInfo['source'],
    private readonly clock: CaptureClock,
    private readonly sink: VideoSink,
  ) {
    this.encoder = this.make();
  }

  /** Takes over a captured frame. */
  push(frame: VideoFrame): void {
    try {
      if (!this.closed) this.take(frame);
    } finally {
      frame.close();
    }
  }

  private take(frame: VideoFrame): void {
    const us = this.clock.map(frame.timestamp, nowUs());
    const wanted = this.sink.encoding({ width: frame.displayWidth, height: frame.displayHeight });
    if (!this.pace.due(us, wanted.fps)) return;
    this.encode(frame, us, wanted);
    if (this.source === 'screen') this.still.keep(frame);
  }

  /** The next frame shall be a key frame; a still picture is encoded again for it. */
  forceKey(): void {
    this.keyWanted = true;
    this.stillTimer ??= setTimeout(() => {
      this.stillTimer = undefined;
      if (this.keyWanted) this.encodeStill();
    }, STILL_MS);
  }

  private encodeStill(): void {
    const us = nowUs();
    const frame = this.still.at(us);
    if (!frame) return;
    try {
      this.encode(frame, us, this.sink.encoding({ width: frame.displayWidth, height: frame.displayHeight }));
    } finally {
      frame.close();
    }
  }

  pause(paused: boolean): void {
    this.paused = paused;
    if (!paused) this.forceKey();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.stillTimer);
    this.still.close();
    if (this.encoder.state !== 'closed') this.encoder.close();
  }

  private encode(frame: VideoFrame, us: number, wanted: Encoding): void {
    if (this.paused || this.closed) return;
    const obstacle = this.sink.obstacle() ?? (this.encoder.encodeQueueSize > MAX_ENCODE_QUEUE ? 'encoder' : undefined);
    if (obstacle) return this.sink.skipped(obstacle);
    this.tell(wanted);
    const timestamp = this.stamps.next(us);
    const keyFrame = this.keyWanted || this.sink.gated() || timestamp - this.keyAt >= KEY_EVERY_US;
    const stamped = new VideoFrame(frame, { timestamp });
    try {
      this.encoder.encode(stamped, { keyFrame });
    } finally {
      stamped.close();
    }
    if (!keyFrame) return;
    this.keyAt = timestamp;
    this.keyWanted = false;
  }

  /** Configures the encoder, where it matters. Only another size takes a key frame: with another bitrate Chromium goes on as it was. */
  private tell(wanted: Encoding): void {
    const { width, height, fps: framerate, bitrate } = wanted;
    const sized = this.told?.width === width && this.told.height === height;
    const same = sized && this.told?.fps === framerate && Math.abs(bitrate / this.told.bitrate - 1) < SAME_BITRATE;
    if (same) return;
    this.told = wanted;
    if (!sized) this.keyWanted = true;
    this.encoder.configure({ codec: 'vp8', width, height, bitrate, framerate, latencyMode: 'realtime' });
  }

  private make(): VideoEncoder {
    return new VideoEncoder({
      output: (chunk, metadata) => this.output(chunk, metadata),
      error: (error) => this.recover(error.message),
    });
  }

  private output(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
    const config = metadata?.decoderConfig;
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    const changed = config !== undefined && this.announce(config);
    this.sink.frame({ data, key: chunk.type === 'key', config: changed, timestamp: chunk.timestamp });
  }

  /** Tells the format; true when this is a change and not the first. */
  private announce(config: VideoDecoderConfig): boolean {
    const { colorSpace } = config;
    const format: VideoFormat = { codecString: config.codec, width: config.codedWidth ?? 0, height: config.codedHeight ?? 0 };
    if (colorSpace?.matrix) {
      format.colour = {
        primaries: colorSpace.primaries ?? '',
        transfer: colorSpace.transfer ?? '',
        matrix: colorSpace.matrix,
        fullRange: colorSpace.fullRange ?? false,
      };
    }
    const text = JSON.stringify(format);
    const change = this.announced !== '' && this.announced !== text;
    if (this.announced !== text) this.sink.format(format);
    this.announced = text;
    return change;
  }

  private recover(text: string): void {
    if (this.closed) return;
    if (++this.faults > MAX_FAULTS) return this.sink.failed(text);
    this.encoder = this.make();
    this.told = undefined;
    this.forceKey();
  }
}
