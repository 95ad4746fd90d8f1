// One video track of a recording: its frames on their way to a canvas.

import type { FileTrack } from './tracks';
import type { Packet } from './webm';

/** Decoded ahead of what is shown: some decoders have few pictures more than these. */
const MAX_AHEAD = 6;
/** Given to the decoder at a time of what is not shown, but needed for what is. */
const MAX_LATE = 24;
/** A picture that nothing followed for so long belongs to nobody any more, ms. Who sends makes a key frame every 4 s. */
const GONE_MS = 6_000;
/** What begins so soon behind the place where it was begun stands for it, ms. */
const SOON_MS = 1_000;
/** After so many errors with no picture in between it is given up. */
const MAX_ERRORS = 3;

export class PictureLane {
  width: number;
  height: number;
  /** Bytes that wait to be decoded. */
  bytes = 0;
  /** It cannot be decoded here. */
  broken = false;
  private canvas: HTMLCanvasElement | undefined;
  private decoder: VideoDecoder | undefined;
  private errors = 0;
  private queue: Packet[] = [];
  private ahead: VideoFrame[] = [];
  private shown: VideoFrame | undefined;
  private position = 0;
  /** Of what the decoder was given for the position, and of what came out of it, the newest, ms. */
  private needed = -Infinity;
  private out = -Infinity;
  /** When the last frame that came is due, ms. */
  private newest = -Infinity;
  /** Nothing was shown since it was begun: whether something was shown before. */
  private before: boolean | undefined = false;
  private ending = false;

  constructor(
    readonly track: FileTrack,
    private readonly changed: () => void,
  ) {
    this.width = track.video?.codedWidth ?? 0;
    this.height = track.video?.codedHeight ?? 0;
  }

  /** Finds out whether it can be decoded here. */
  async check(): Promise<void> {
    const { video } = this.track;
    const support = video && (await VideoDecoder.isConfigSupported(video).catch(() => undefined));
    if (!support?.supported) this.breakDown();
  }

  private breakDown(): void {
    this.broken = true;
    this.discard();
    this.changed();
  }

  /** Everything is to come anew, for a position in ms. What is shown stays until then. */
  begin(position: number): void {
    this.before = this.present;
    this.position = position;
    this.newest = this.out = -Infinity;
    this.queue = [];
    this.bytes = 0;
    this.ending = false;
    this.discard();
  }

  private discard(): void {
    this.release();
    for (const picture of this.ahead.splice(0)) picture.close();
  }

  private release(): void {
    if (this.decoder && this.decoder.state !== 'closed') this.decoder.close();
    this.decoder = undefined;
    this.needed = -Infinity;
  }

  push(packet: Packet): void {
    this.newest = packet.at;
    if (this.broken) return;
    this.queue.push(packet);
    this.bytes += packet.data.length;
  }

  /** Nothing more comes, or not soon: what the decoder holds back is wanted as well. */
  end(): void {
    this.ending = true;
  }

  /** Decodes what is due soon, and paints what is due now. */
  drive(position: number): void {
    this.position = position;
    this.feed();
    this.choose();
  }

  private feed(): void {
    this.skip();
    while (this.queue[0] && this.room > 0) this.decode(this.queue.shift()!);
    if (this.ending && this.queue.length === 0 && this.decoder) this.drain(this.decoder);
  }

  /** A decoder that was emptied takes nothing but a key frame, as a new one does. */
  private drain(decoder: VideoDecoder): void {
    this.ending = false;
    const done = (): void => {
      if (decoder === this.decoder) this.release();
    };
    decoder.flush().then(done, done);
  }

  private get late(): boolean {
    return this.queue[0] !== undefined && this.queue[0].at <= this.position;
  }

  private get room(): number {
    return (this.late ? MAX_LATE : MAX_AHEAD) - this.ahead.length - (this.decoder?.decodeQueueSize ?? 0);
  }

  /** What comes before a key frame that is due already is of no use. */
  private skip(): void {
    const last = this.queue.findLastIndex(({ key, at }) => key && at <= this.position);
    if (last > 0) for (const { data } of this.queue.splice(0, last)) this.bytes -= data.length;
  }

  private decode({ at, key, data }: Packet): void {
    this.bytes -= data.length;
    if (!this.decoder && !key) return;
    if (at <= this.position) this.needed = at;
    try {
      this.decoder ??= this.make();
      this.decoder.decode(new EncodedVideoChunk({ type: key ? 'key' : 'delta', timestamp: at * 1_000, data }));
    } catch {
      this.failed();
    }
  }

  private make(): VideoDecoder {
    const decoder: VideoDecoder = new VideoDecoder({
      output: (picture) => (decoder === this.decoder ? this.decoded(picture) : picture.close()),
      error: () => decoder === this.decoder && this.failed(),
    });
    decoder.ondequeue = () => decoder === this.decoder && this.feed();
    decoder.configure(this.track.video!);
    return decoder;
  }

  /** It goes on with the next key frame. */
  private failed(): void {
    this.discard();
    if (++this.errors >= MAX_ERRORS) this.breakDown();
  }

  private decoded(picture: VideoFrame): void {
    this.errors = 0;
    this.out = atOf(picture);
    this.ahead.push(picture);
    this.choose();
  }

  /** Shows the newest picture that is due. On the way to a place where playing was begun none is. */
  private choose(): void {
    while (this.ahead[1] && atOf(this.ahead[1]) <= this.position) this.ahead.shift()!.close();
    const first = this.ahead[0];
    if (!first) return;
    const began = this.before !== undefined;
    if (began && !(this.settled && this.newest > this.position)) return;
    if (atOf(first) <= this.position || (began && atOf(first) < this.position + SOON_MS)) this.show(this.ahead.shift()!);
  }

  private show(picture: VideoFrame): void {
    const { displayWidth, displayHeight } = picture;
    const news = !this.present || displayWidth !== this.width || displayHeight !== this.height;
    this.shown?.close();
    this.shown = picture;
    this.before = undefined;
    [this.width, this.height] = [displayWidth, displayHeight];
    this.paint();
    if (news) this.changed();
  }

  private paint(): void {
    const { canvas, shown } = this;
    if (!canvas || !shown) return;
    if (canvas.width !== this.width) canvas.width = this.width;
    if (canvas.height !== this.height) canvas.height = this.height;
    canvas.getContext('2d', { alpha: false })?.drawImage(shown, 0, 0, this.width, this.height);
  }

  attach(canvas: HTMLCanvasElement | undefined): void {
    this.canvas = canvas;
    this.paint();
  }

  /** What there is for the place where it was begun has come. */
  arrived(): void {
    this.before = undefined;
  }

  /** Whether there is a picture for the position. One that cannot be decoded is there while something of it comes. */
  get present(): boolean {
    if (this.before !== undefined) return this.before;
    const at = this.broken ? this.newest : this.shown ? atOf(this.shown) : -Infinity;
    return Math.abs(this.position - at) < GONE_MS;
  }

  /** Whether nothing is to be decoded any more for the position. */
  get settled(): boolean {
    return this.broken || (!this.late && this.out >= this.needed);
  }

  /** Whether what came last is for the position, or before. */
  get last(): boolean {
    return this.newest <= this.position;
  }

  close(): void {
    this.queue = [];
    this.discard();
    this.shown?.close();
    this.shown = undefined;
    this.canvas = undefined;
  }
}

const atOf = ({ timestamp }: VideoFrame): number => timestamp / 1_000;
