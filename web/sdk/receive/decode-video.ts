// One received video track: frames to pictures. Owns its decoder and the frames that wait for it.

import type { Colour, WireTrack } from '../wire/messages';
import type { WholeFrame } from './reassembly';

export interface VideoInput {
  frame: WholeFrame;
  /** Full member clock, µs. */
  us: number;
  /** Published earlier: decode, and paint only if nothing newer is there. */
  catchUp: boolean;
}

export interface VideoOutput {
  picture(picture: VideoFrame, catchUp: boolean): void;
  /** The decoder lost its way: it needs a key frame. */
  needKey(): void;
}

const MAX_DECODING = 6;
/** As many as the relay keeps of a group (docs/protocol.md section 7), and as many bytes. */
const MAX_WAITING = 1_100;
const MAX_WAITING_BYTES = 9 * 1_048_576;
/** This many live frames behind, the rest of the group is left out. */
const MAX_LIVE_BEHIND = 90;
const FRAME_MS = 33;

export class VideoDecode {
  private decoder: VideoDecoder | undefined;
  private waiting: VideoInput[] = [];
  private bytes = 0;
  private catchUps = new Set<number>();
  private needsKey = true;
  /** What the decoder was told last of the format. */
  private configured = '';
  private closed = false;

  constructor(
    private format: WireTrack,
    private readonly sink: VideoOutput,
  ) {}

  setFormat(format: WireTrack): void {
    this.format = format;
  }

  /** What waits to be decoded, ms. */
  get backlogMs(): number {
    return (this.waiting.length + (this.decoder?.decodeQueueSize ?? 0)) * FRAME_MS;
  }

  /** Frames that came live and wait to be decoded; 0 while a burst of earlier ones does. */
  get behind(): number {
    if (this.waiting[0]?.catchUp) return 0;
    return this.waiting.length + (this.decoder?.decodeQueueSize ?? 0);
  }

  get idle(): boolean {
    return this.waiting.length === 0 && (this.decoder?.decodeQueueSize ?? 0) === 0;
  }

  push(input: VideoInput): void {
    if (this.closed) return;
    if (input.frame.key) this.needsKey = false;
    else if (this.needsKey) return;
    const behind = this.waiting.length >= (input.catchUp ? MAX_WAITING : MAX_LIVE_BEHIND);
    if (behind || this.bytes + input.frame.data.length > MAX_WAITING_BYTES) return this.overflow(input);
    this.waiting.push(input);
    this.bytes += input.frame.data.length;
    this.feed();
  }

  /** Too slow for what comes: what waits is left out, up to the next key frame. */
  private overflow(input: VideoInput): void {
    this.waiting = input.frame.key ? [input] : [];
    this.bytes = input.frame.key ? input.frame.data.length : 0;
    this.needsKey = !input.frame.key;
  }

  /** The group broke off: frames up to here are still shown, the next must be a key frame. */
  breakOff(): void {
    this.needsKey = true;
  }

  close(): void {
    this.closed = true;
    this.waiting = [];
    this.discard();
  }

  private discard(): void {
    if (this.decoder && this.decoder.state !== 'closed') this.decoder.close();
    this.decoder = undefined;
    this.catchUps.clear();
  }

  private feed(): void {
    while (this.waiting[0] && (this.decoder?.decodeQueueSize ?? 0) < MAX_DECODING) {
      const input = this.waiting.shift()!;
      this.bytes -= input.frame.data.length;
      try {
        this.decode(input);
      } catch {
        this.failed();
      }
    }
  }

  private decode({ frame, us, catchUp }: VideoInput): void {
    if (!this.decoder && !frame.key) return;
    if (frame.key) this.configure(frame);
    if (catchUp) this.catchUps.add(us);
    this.decoder?.decode(new EncodedVideoChunk({ type: frame.key ? 'key' : 'delta', timestamp: us, data: frame.data }));
  }

  /** Layers have one format, but where they say otherwise: then another size alone needs no other decoder. */
  private configure({ alias, config }: WholeFrame): void {
    const format = formatOf(this.format, alias);
    const text = `${format.codecString} ${format.config}`;
    if (this.decoder && !config && text === this.configured) return;
    this.configured = text;
    if (!this.decoder) {
      const decoder: VideoDecoder = new VideoDecoder({
        output: (picture) => this.output(decoder, picture),
        error: () => decoder === this.decoder && this.failed(),
      });
      decoder.ondequeue = () => this.feed();
      this.decoder = decoder;
    }
    this.decoder.configure(configOf(format));
  }

  private output(decoder: VideoDecoder, picture: VideoFrame): void {
    if (this.closed || decoder !== this.decoder) return picture.close();
    const catchUp = this.catchUps.delete(picture.timestamp);
    this.sink.picture(picture, catchUp);
  }

  /** Starts over with a new decoder, and asks for a key frame. */
  private failed(): void {
    this.discard();
    this.waiting = [];
    this.bytes = 0;
    this.needsKey = true;
    this.sink.needKey();
  }
}

/** A track as the layer with this alias has it. The last one has the size that the track has now. */
function formatOf(track: WireTrack, alias: number): WireTrack {
  const at = track.layers.findIndex((l) => l.alias === alias);
  if (at < 0) return track;
  const { width, height, codecString, config } = track.layers[at]!;
  const smaller = at < track.layers.length - 1 && width && height;
  return { ...track, ...(smaller && { width, height }), ...(codecString && { codecString }), ...(config && { config }) };
}

function configOf(format: WireTrack): VideoDecoderConfig {
  const config: VideoDecoderConfig = { codec: format.codecString || format.codec, optimizeForLatency: true };
  if (format.width && format.height) {
    config.codedWidth = format.width;
    config.codedHeight = format.height;
  }
  if (format.colour) config.colorSpace = colourOf(format.colour);
  return config;
}

const PRIMARIES = ['bt709', 'bt470bg', 'smpte170m', 'bt2020', 'smpte432'];
const TRANSFERS = ['bt709', 'smpte170m', 'iec61966-2-1', 'linear', 'pq', 'hlg'];
const MATRICES = ['rgb', 'bt709', 'bt470bg', 'smpte170m', 'bt2020-ncl'];

/** Only known words: another one would make configure() throw. */
function colourOf({ primaries, transfer, matrix, fullRange }: Colour): VideoColorSpaceInit {
  return {
    primaries: PRIMARIES.includes(primaries) ? (primaries as VideoColorPrimaries) : null,
    transfer: TRANSFERS.includes(transfer) ? (transfer as VideoTransferCharacteristics) : null,
    matrix: MATRICES.includes(matrix) ? (matrix as VideoMatrixCoefficients) : null,
    fullRange,
  };
}
