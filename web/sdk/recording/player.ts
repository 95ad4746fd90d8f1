// Plays a recording, to one who watches it alone: all members at once, at any speed, from any place.

import { JoinError } from '../api';
import type { CloseReason } from '../api';
import { Emitter } from '../emitter';
import type { OpenRecording, PlayerState, RecordedPicture, RecordedVoice } from './api';
import { APART_MS, Part } from './part';
import type { PartHost } from './part';
import { SoundStopwatch } from './sound-stopwatch';
import { PageStopwatch, Timeline } from './timeline';
import type { Stopwatch } from './timeline';
import type { FileTrack } from './tracks';
import { FormatError } from './webm';

/** What is read ahead of the position at least, ms, and what of that must be there for playing to go on. */
const AHEAD_MS = 500 + APART_MS;
const LOW_MS = 50;
/** How often is looked what is due where the page paints nothing, ms. */
const TICK_MS = 100;
export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

export class RecordingPlayer {
  failure: CloseReason | undefined;
  private readonly events = new Emitter<{ change: undefined }>();
  private readonly timeline = new Timeline();
  private readonly plain = new PageStopwatch();
  private sound: SoundStopwatch | undefined;
  private watch: Stopwatch = this.plain;
  private part: Part | undefined;
  private index = 0;
  /** It is to play. */
  private wanted = false;
  /** It is on its way to a position: counts such ways. */
  private way = 0;
  private arriving = true;
  /** The last of them that was begun: until then what is there belongs to the position before. */
  private begun = 0;
  /** The file that is being opened. */
  private opening: number | undefined;
  private starved = false;
  private over = false;
  private closed = false;
  private told = '';
  private readonly canvases = new Map<string, HTMLCanvasElement>();
  private readonly timer = setInterval(() => this.tick(), TICK_MS);
  private frame = 0;
  private readonly host: PartHost = {
    timeline: this.timeline,
    output: () => (this.sound ??= new SoundStopwatch(() => this.changed())).output,
    changed: () => this.changed(),
    failed: (error) => this.failed(error),
  };

  private constructor(
    private readonly recording: OpenRecording,
    /** Of each file, ms. */
    private readonly lengths: readonly number[],
  ) {
    this.paint();
  }

  /** Goes to the beginning of a recording, and stands still there. What fails later is told as a state. Rejects with a JoinError or a RecordingsError. */
  static async open(recording: OpenRecording): Promise<RecordingPlayer> {
    if (!('VideoDecoder' in globalThis && 'AudioDecoder' in globalThis)) throw new JoinError('unsupported-browser', 'this browser lacks WebCodecs');
    const parts = recording.files.length > 1 ? (await recording.describe()).files : [];
    const player = new RecordingPlayer(recording, parts.map(({ length }) => length));
    void player.goTo(0, 0);
    return player;
  }

  /** Something but the position is not as it was. */
  on(event: 'change', handler: () => void): () => void {
    return this.events.on(event, handler);
  }

  get state(): PlayerState {
    if (this.failure) return 'failed';
    if (this.over) return 'ended';
    if (this.arriving) return 'seeking';
    if (!this.wanted) return 'paused';
    if (this.starved) return 'buffering';
    return this.watch.running ? 'playing' : 'blocked';
  }

  /** It plays, or is about to. */
  get playing(): boolean {
    return this.wanted;
  }

  /** ms. */
  get position(): number {
    return this.startOf(this.index) + Math.min(this.here, this.lengthOf(this.index));
  }

  /** ms; 0 until it is known. */
  get length(): number {
    return this.startOf(Math.max(1, this.recording.files.length));
  }

  get speed(): number {
    return this.timeline.speed;
  }

  /** The pictures that there are at the position. */
  get pictures(): readonly RecordedPicture[] {
    return (this.part?.pictures ?? []).filter(({ present }) => present).map(({ track, width, height, broken }) => {
      const { name, id, codec } = track;
      return { key: this.keyOf(track), name, track: id, codec, width, height, broken };
    });
  }

  /** Who can be heard at the position, also where nothing is said just then. */
  get voices(): readonly RecordedVoice[] {
    return (this.part?.sounds ?? []).filter(({ present }) => present).map(({ track, broken }) => {
      return { key: this.keyOf(track), name: track.name, track: track.id, broken };
    });
  }

  private keyOf({ number }: FileTrack): string {
    return `${this.index}/${number}`;
  }

  /** Paints a picture onto the canvas, until the function that is returned is called. */
  show(key: string, canvas: HTMLCanvasElement): () => void {
    this.canvases.set(key, canvas);
    this.attach();
    return () => {
      if (this.canvases.get(key) === canvas) this.canvases.delete(key);
      this.attach();
    };
  }

  /** From a click, where the browser holds sound back: see PlayerState. */
  play(): void {
    if (this.over) this.seek(0);
    this.wanted = true;
    if (!this.arriving && !this.starved) this.watch.start();
    // Sound may only begin in a click, also where pictures have to come first.
    else if (this.sound && !this.sound.running) this.sound.unlock();
    this.tell();
  }

  pause(): void {
    this.wanted = false;
    void this.watch.stop();
    this.tell();
  }

  /** Also before the length is known. */
  seek(position: number): void {
    const to = Math.min(Math.max(0, position), this.length || Infinity);
    let index = 0;
    while (index < this.recording.files.length - 1 && to >= this.startOf(index + 1)) index++;
    void this.goTo(index, to - this.startOf(index));
  }

  /** 0.5 to 2. Sound gets higher and lower with it. */
  setSpeed(speed: number): void {
    this.timeline.setPace(Math.min(Math.max(speed, SPEEDS[0]), 2), this.watch.now());
    for (const lane of this.part?.sounds ?? []) lane.repace();
    this.tell();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.way++;
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    this.part?.close();
    void this.sound?.close();
  }

  private lengthOf(index: number): number {
    return this.lengths[index] ?? (index === this.index ? (this.part?.length ?? 0) : 0);
  }

  /** Where a file begins in the recording. */
  private startOf(index: number): number {
    let start = 0;
    for (let i = 0; i < index; i++) start += this.lengthOf(i);
    return start;
  }

  private get here(): number {
    return Math.max(0, this.timeline.at(this.watch.now()));
  }

  private async goTo(index: number, position: number): Promise<void> {
    const way = ++this.way;
    this.arriving = true;
    this.starved = this.over = false;
    await this.watch.stop();
    if (way !== this.way) return;
    this.timeline.set(position, this.watch.now());
    this.tell();
    if (this.part && index === this.index) {
      this.begun = way;
      return this.part.begin(position);
    }
    // Once it is open it goes to where it is to be then.
    if (this.opening === index) return;
    this.part?.close();
    this.part = undefined;
    this.index = this.opening = index;
    try {
      await this.enter(index, await Part.open(this.recording.files[index]!, this.host));
    } catch (error) {
      if (index === this.index) this.failed(error);
    }
  }

  private async enter(index: number, part: Part): Promise<void> {
    if (this.opening !== index || this.closed) {
      // The file may have been opened twice meanwhile, and be read.
      if (index !== this.index || this.closed) part.close();
      return;
    }
    this.opening = undefined;
    if (part.pictures.length + part.sounds.length === 0) throw new FormatError('it has neither sound nor pictures');
    const { here } = this;
    this.part = part;
    this.watch = part.sounds.length > 0 && this.sound ? this.sound : this.plain;
    this.timeline.set(here, this.watch.now());
    this.attach();
    this.begun = this.way;
    await part.begin(here);
    this.tick();
  }

  private attach(): void {
    for (const lane of this.part?.pictures ?? []) lane.attach(this.canvases.get(this.keyOf(lane.track)));
  }

  private paint(): void {
    this.frame = requestAnimationFrame(() => this.paint());
    this.tick();
  }

  private changed(): void {
    this.tick();
    this.tell();
  }

  private tick(): void {
    const { part, speed } = this;
    if (!part || this.closed || this.failure) return;
    const at = this.here;
    part.want(at + AHEAD_MS * speed);
    part.drive(at, this.sound?.begun ?? false);
    if (this.arriving) this.arrive(part, at);
    else if (this.wanted && !this.over) this.supply(part, at);
  }

  private arrive(part: Part, at: number): void {
    if (this.begun !== this.way || !part.settle(at)) return;
    this.arriving = false;
    if (this.wanted) this.watch.start();
    this.tell();
  }

  /** Stands still while nothing is there to be played, and goes on with the next file at the end of this one. */
  private supply(part: Part, at: number): void {
    if (at >= part.length && part.exhausted) return this.finish();
    const lacks = (ms: number): boolean => !part.exhausted && part.front < at + ms * this.speed;
    if (!this.starved && lacks(LOW_MS)) {
      this.starved = true;
      void this.watch.stop();
    } else if (this.starved && !lacks(APART_MS)) {
      this.starved = false;
      this.watch.start();
    } else return;
    this.tell();
  }

  private finish(): void {
    if (this.index + 1 < this.recording.files.length) return void this.goTo(this.index + 1, 0);
    this.over = true;
    this.wanted = false;
    void this.watch.stop();
    this.tell();
  }

  private failed(error: unknown): void {
    if (this.closed || this.failure) return;
    const code = error instanceof JoinError ? error.code : error instanceof FormatError ? 'bad-file' : 'internal';
    this.failure = { code, text: error instanceof Error ? error.message : String(error) };
    void this.watch.stop();
    this.tell();
  }

  private tell(): void {
    const now = JSON.stringify([this.state, this.length, this.speed, this.pictures, this.voices]);
    if (now === this.told || this.closed) return;
    this.told = now;
    this.events.emit('change', undefined);
  }
}
