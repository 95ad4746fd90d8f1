// One audio track of a recording: its packets on their way to what is heard. Faster and slower it sounds higher and lower.

import type { Timeline } from './timeline';
import type { FileTrack } from './tracks';
import type { Packet } from './webm';

/** What is put out ahead, ms of the listener's time: a page that is hidden may be asked once a second whether more is due. */
const AHEAD_MS = 1_200;
/** Decoded before the place where playing begins, ms: an Opus decoder has to get into the swing of it. */
const SWING_MS = 80;
/** Times in the file are whole milliseconds. Only what is further from where the last sound ended is a gap, s. */
const GAP_S = 0.03;
/** Who has sent nothing for so long cannot be heard any more, ms. */
const GONE_MS = 6_000;
const MAX_DECODING = 80;
/** Packets that gave no sound may leave so many times behind. */
const MAX_STAMPS = 200;

interface Piece {
  /** ms. */
  at: number;
  buffer: AudioBuffer;
  node: AudioBufferSourceNode;
}

export class SoundLane {
  bytes = 0;
  broken = false;
  private decoder: AudioDecoder | undefined;
  private queue: Packet[] = [];
  /** Times of what is being decoded. The decoder's own run on across gaps as if there were none. */
  private stamps: number[] = [];
  /** What was put out, and has not ended. */
  private pieces: Piece[] = [];
  /** Where the last piece ends, s of the context. */
  private end = -Infinity;
  private begun = 0;
  private position = 0;
  /** When the packet that came last is due, ms. */
  private newest = -Infinity;
  /** Until what there is for the place where it was begun has come: whether there was anything before. */
  private before: boolean | undefined = false;

  constructor(
    readonly track: FileTrack,
    private readonly output: AudioNode,
    private readonly timeline: Timeline,
  ) {}

  /** Finds out whether it can be decoded here. */
  async check(): Promise<void> {
    const { audio } = this.track;
    const support = audio && (await AudioDecoder.isConfigSupported(audio).catch(() => undefined));
    this.broken = !support?.supported;
    if (this.broken) this.queue = [];
  }

  begin(position: number): void {
    this.before = this.present;
    this.begun = this.position = position;
    this.newest = -Infinity;
    this.queue = [];
    this.bytes = 0;
    this.discard();
    this.hush();
  }

  private discard(): void {
    if (this.decoder && this.decoder.state !== 'closed') this.decoder.close();
    this.decoder = undefined;
    this.stamps = [];
  }

  private hush(): void {
    for (const { node } of this.pieces.splice(0)) node.stop();
    this.end = -Infinity;
  }

  push(packet: Packet): void {
    this.newest = packet.at;
    if (this.broken || packet.at < this.begun - SWING_MS) return;
    this.queue.push(packet);
    this.bytes += packet.data.length;
  }

  /** Decodes what is due soon. */
  drive(position: number): void {
    this.position = position;
    const limit = position + AHEAD_MS * this.timeline.speed;
    while (this.queue[0] && this.queue[0].at < limit && (this.decoder?.decodeQueueSize ?? 0) < MAX_DECODING) this.decode(this.queue.shift()!);
  }

  private decode({ at, data }: Packet): void {
    this.bytes -= data.length;
    try {
      this.decoder ??= this.make();
      if (this.stamps.length >= MAX_STAMPS) this.stamps = [];
      this.stamps.push(at);
      this.decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: at * 1_000, data }));
    } catch {
      this.discard();
    }
  }

  private make(): AudioDecoder {
    const decoder: AudioDecoder = new AudioDecoder({
      output: (data) => {
        if (decoder === this.decoder) this.decoded(data);
        data.close();
      },
      error: () => decoder === this.decoder && this.discard(),
    });
    decoder.configure(this.track.audio!);
    return decoder;
  }

  private decoded(data: AudioData): void {
    const { numberOfChannels, numberOfFrames, sampleRate } = data;
    const at = this.stamps.shift() ?? data.timestamp / 1_000;
    const buffer = this.output.context.createBuffer(numberOfChannels, numberOfFrames, sampleRate);
    for (let planeIndex = 0; planeIndex < numberOfChannels; planeIndex++) {
      data.copyTo(buffer.getChannelData(planeIndex), { planeIndex, format: 'f32-planar' });
    }
    this.put(at, buffer);
  }

  /** Puts a piece out right behind the last one, or, where that is not its place, when it is due. */
  private put(at: number, buffer: AudioBuffer): void {
    const { context } = this.output;
    const { speed } = this.timeline;
    const due = this.timeline.when(at) / 1_000;
    const follows = Math.abs(due - this.end) < GAP_S;
    const start = follows ? this.end : Math.round(due * context.sampleRate) / context.sampleRate;
    const end = start + buffer.duration / speed;
    this.end = end;
    const missed = Math.max(0, context.currentTime - start, (this.begun - at) / 1_000 / speed);
    if (missed >= end - start) return;
    const node = new AudioBufferSourceNode(context, { buffer, playbackRate: speed });
    node.connect(this.output);
    node.start(start + missed, missed * speed);
    const piece = { at, buffer, node };
    this.pieces.push(piece);
    node.onended = () => {
      this.pieces = this.pieces.filter((p) => p !== piece);
      node.disconnect();
    };
  }

  /** The timeline goes at another speed: what was put out is put out anew. */
  repace(): void {
    const pieces = this.pieces.slice();
    this.hush();
    for (const { at, buffer } of pieces) this.put(at, buffer);
  }

  /** What there is for the place where it was begun has come. */
  arrived(): void {
    this.before = undefined;
  }

  get present(): boolean {
    return this.before ?? Math.abs(this.position - this.newest) < GONE_MS;
  }

  close(): void {
    this.begin(0);
  }
}
