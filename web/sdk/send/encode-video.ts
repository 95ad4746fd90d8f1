// Captured pictures to VP8. Owns the encoder, the choice of key frames, and every VideoFrame given to it.

import type { TrackInfo } from '../api';
import { nowUs } from '../session/clock';
import type { Offer } from '../wire/messages';
import type { CaptureClock } from './capture-clock';
import { Monotonic } from './capture-clock';
import { pictureBitrate, pictureSize } from './picture';
import type { Size } from './picture';
import { Still } from './still';
import type { OutFrame } from './uplink';

const FPS = 30;
/** A frame that comes sooner than this behind the last one is over the frame rate, µs. */
const MIN_SPACING_US = 0.75 * (1_000_000 / FPS);
const KEY_EVERY_US = 3_900_000;
/** A still picture is encoded again when a key frame is wanted and none came for this long, ms. */
const STILL_MS = 100;
const MAX_ENCODE_QUEUE = 2;
const MAX_FAULTS = 5;

export type VideoFormat = Pick<Offer, 'codecString' | 'width' | 'height' | 'colour'>;

export interface VideoSink {
  /** What was encoded first, or first after a change of size: told before the frame. */
  format(format: VideoFormat): void;
  frame(frame: OutFrame): void;
  /** Whether a frame that is encoded now has a chance to go out in time. */
  ready(): boolean;
  /** Whether the next frame must be a key frame. */
  gated(): boolean;
  skipped(): void;
  /** The encoder failed for good. */
  failed(text: string): void;
}

export class VideoEncode {
  private encoder: VideoEncoder;
  private size: Size | undefined;
  private lastAt = -Infinity;
  private keyAt = -Infinity;
  private keyWanted = true;
  private told = '';
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
    if (us - this.lastAt < MIN_SPACING_US && us > this.lastAt) return;
    this.lastAt = us;
    this.encode(frame, us);
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
      this.encode(frame, us);
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

  private encode(frame: VideoFrame, us: number): void {
    if (this.paused || this.closed) return;
    if (this.encoder.encodeQueueSize > MAX_ENCODE_QUEUE || !this.sink.ready()) return this.sink.skipped();
    this.fit(frame);
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

  /** Configures the encoder for the size of the frame, when it changed. */
  private fit(frame: VideoFrame): void {
    const size = pictureSize({ width: frame.displayWidth, height: frame.displayHeight }, this.source);
    if (this.size?.width === size.width && this.size.height === size.height) return;
    this.size = size;
    this.keyWanted = true;
    this.encoder.configure({ codec: 'vp8', ...size, bitrate: pictureBitrate(size), framerate: FPS, latencyMode: 'realtime' });
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
    const told = JSON.stringify(format);
    const change = this.told !== '' && this.told !== told;
    if (this.told !== told) this.sink.format(format);
    this.told = told;
    return change;
  }

  private recover(text: string): void {
    if (this.closed) return;
    if (++this.faults > MAX_FAULTS) return this.sink.failed(text);
    this.encoder = this.make();
    this.size = undefined;
    this.forceKey();
  }
}
