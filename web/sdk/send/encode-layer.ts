// One layer of one's own picture to VP8. Owns its encoder, which is there only while the layer is made, and the choice of key frames.

import type { Offer } from '../wire/messages';
import type { Encoding } from './layered';
import { Pace } from './pace';
import { temporalMode } from './temporal';
import type { OutFrame } from './uplink';

const KEY_EVERY_US = 3_900_000;
const MAX_ENCODE_QUEUE = 2;
const MAX_FAULTS = 5;
/** A bitrate that differs by less is not worth telling the encoder. */
const SAME_BITRATE = 0.04;

/** Why a frame was left out before it was encoded: nothing gets through, the uplink is full, the encoder is slow. */
export type Skip = 'lost' | 'uplink' | 'encoder';

export type VideoFormat = Pick<Offer, 'codecString' | 'width' | 'height' | 'colour'>;

/** What the types of the platform do not know yet. */
interface Svc {
  svc?: { temporalLayerId?: number };
}

export interface LayerSink {
  /** What was encoded first, or first after a change: told before the frame. */
  format(format: VideoFormat): void;
  frame(frame: OutFrame): void;
  /** Why a frame that is encoded now has no chance to go out in time; undefined when it has. */
  obstacle(): Skip | undefined;
  /** Whether the next frame must be a key frame. */
  gated(): boolean;
  skipped(why: Skip): void;
  /** The encoder failed, and begins anew with the next picture: one that stands still is to be given again. */
  again(): void;
  /** The encoder failed for good. */
  failed(text: string): void;
}

export class LayerEncode {
  /** Frames encoded so far. */
  frames = 0;
  keyWanted = true;
  private encoder: VideoEncoder | undefined;
  /** What the encoder was last told. */
  private told: Encoding | undefined;
  private mode: string | undefined;
  private readonly pace = new Pace();
  private keyAt = -Infinity;
  private announced = '';
  private faults = 0;
  private closed = false;

  constructor(private readonly sink: LayerSink) {}

  /** Whether a frame captured at this time is to be encoded. */
  due(us: number, wanted: Encoding): boolean {
    return this.pace.due(us, wanted.fps);
  }

  /** Whether a frame that is encoded now can go out in time; one that cannot is counted as skipped. */
  free(): boolean {
    const slow = (this.encoder?.encodeQueueSize ?? 0) > MAX_ENCODE_QUEUE;
    const obstacle = this.sink.obstacle() ?? (slow ? 'encoder' : undefined);
    if (obstacle) this.sink.skipped(obstacle);
    return obstacle === undefined;
  }

  /** Encodes a frame, which stays the caller's. */
  encode(frame: VideoFrame, wanted: Encoding): void {
    const mode = wanted.thinnable ? temporalMode() : undefined;
    if (mode !== this.mode) this.rest();
    this.mode = mode;
    this.encoder ??= this.make();
    this.tell(this.encoder, wanted);
    const keyFrame = this.keyWanted || this.sink.gated() || frame.timestamp - this.keyAt >= KEY_EVERY_US;
    this.encoder.encode(frame, { keyFrame });
    if (!keyFrame) return;
    this.keyAt = frame.timestamp;
    this.keyWanted = false;
  }

  /** Ends the encoder: another one begins, with a key frame, when there is a picture for it. */
  rest(): void {
    if (this.encoder && this.encoder.state !== 'closed') this.encoder.close();
    this.encoder = undefined;
    this.told = undefined;
    this.keyWanted = true;
  }

  close(): void {
    this.closed = true;
    this.rest();
  }

  /** Configures the encoder, where it matters. Only another size takes a key frame: with another bitrate Chromium goes on as it was. */
  private tell(encoder: VideoEncoder, wanted: Encoding): void {
    const { width, height, fps: framerate, bitrate } = wanted;
    const sized = this.told?.width === width && this.told.height === height;
    const same = sized && this.told?.fps === framerate && Math.abs(bitrate / this.told.bitrate - 1) < SAME_BITRATE;
    if (same) return;
    this.told = wanted;
    if (!sized) this.keyWanted = true;
    encoder.configure({ codec: 'vp8', width, height, bitrate, framerate, latencyMode: 'realtime', ...(this.mode && { scalabilityMode: this.mode }) });
  }

  private make(): VideoEncoder {
    const encoder: VideoEncoder = new VideoEncoder({
      output: (chunk, metadata) => encoder === this.encoder && this.output(chunk, metadata),
      error: (error) => encoder === this.encoder && this.recover(error.message),
    });
    return encoder;
  }

  private output(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
    const config = metadata?.decoderConfig;
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    const changed = config !== undefined && this.announce(config);
    this.frames++;
    const temporal = (metadata as Svc | undefined)?.svc?.temporalLayerId ?? 0;
    this.sink.frame({ data, key: chunk.type === 'key', config: changed, timestamp: chunk.timestamp, temporal });
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
    this.rest();
    this.sink.again();
  }
}
