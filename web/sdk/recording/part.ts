// One file of a recording while it is played: it is read a little ahead of the position, and its frames go to the lanes of their tracks.

import type { RecordingFile } from './api';
import { PictureLane } from './picture-lane';
import { Reel } from './reel';
import { SoundLane } from './sound-lane';
import type { Timeline } from './timeline';
import type { Packet } from './webm';

/** Tracks of one moment may lie so far apart in a file, ms. */
export const APART_MS = 1_300;
/** What waits to be decoded, bytes: times that stand still in a file must not have all of it read. */
const MAX_WAITING = 16 << 20;

export interface PartHost {
  timeline: Timeline;
  /** Where sound goes; asked for when there is any. */
  output(): AudioNode;
  changed(): void;
  failed(error: unknown): void;
}

export class Part {
  readonly pictures: readonly PictureLane[];
  readonly sounds: readonly SoundLane[];
  /** The time of the newest frame that was read, ms. */
  front = -Infinity;
  /** All was read. */
  exhausted = false;
  private readonly lanes = new Map<number, PictureLane | SoundLane>();
  /** How far it is to be read, ms. */
  private until = -Infinity;
  /** Counts the places where it was begun. */
  private turn = 0;
  private reading = false;

  private constructor(
    private readonly file: RecordingFile,
    private readonly reel: Reel,
    private readonly host: PartHost,
  ) {
    const of = (kind: string) => reel.tracks.filter((track) => track.kind === kind);
    this.pictures = of('video').map((track) => new PictureLane(track, () => host.changed()));
    this.sounds = of('audio').map((track) => new SoundLane(track, host.output(), host.timeline));
    for (const lane of [...this.pictures, ...this.sounds]) {
      this.lanes.set(lane.track.number, lane);
      void lane.check();
    }
  }

  static async open(file: RecordingFile, host: PartHost): Promise<Part> {
    return new Part(file, await Reel.open(file), host);
  }

  /** ms. */
  get length(): number {
    return this.reel.length;
  }

  /** Goes to a position; what comes from there is read as want() says. */
  async begin(position: number): Promise<void> {
    const turn = ++this.turn;
    this.until = this.front = -Infinity;
    this.exhausted = false;
    this.reading = true;
    for (const lane of this.lanes.values()) lane.begin(position);
    await this.guarded(turn, () => this.reel.begin(position));
    if (turn === this.turn) this.reading = false;
  }

  /** Has it read up to a time. */
  want(until: number): void {
    this.until = until;
    if (this.reading || !this.wants) return;
    this.reading = true;
    const { turn } = this;
    void this.guarded(turn, () => this.readOn(turn)).finally(() => {
      if (turn === this.turn) this.reading = false;
    });
  }

  private get wants(): boolean {
    return !this.exhausted && this.front < this.until && this.waiting < MAX_WAITING;
  }

  private get waiting(): number {
    return [...this.lanes.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private async readOn(turn: number): Promise<void> {
    while (turn === this.turn && this.wants) {
      const packets = await this.reel.next();
      if (turn !== this.turn) return;
      if (packets) for (const packet of packets) this.take(packet);
      else this.end();
      this.host.changed();
    }
  }

  private take(packet: Packet): void {
    this.front = Math.max(this.front, packet.at);
    this.lanes.get(packet.track)?.push(packet);
  }

  private end(): void {
    this.exhausted = true;
    for (const lane of this.pictures) lane.end();
  }

  /** What was begun elsewhere meanwhile is no failure. */
  private async guarded(turn: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (turn === this.turn) this.host.failed(error);
    }
  }

  /** audible: sound may be put out. */
  drive(position: number, audible: boolean): void {
    for (const lane of this.pictures) lane.drive(position);
    if (audible) for (const lane of this.sounds) lane.drive(position);
  }

  /** Has everything come that there is for the position where it was begun, and tells whether it has. */
  settle(position: number): boolean {
    if (!this.exhausted && this.front < position + APART_MS) return false;
    const coming = this.pictures.filter(({ settled }) => !settled);
    for (const lane of coming) if (lane.last) lane.end();
    if (coming.length > 0) return false;
    for (const lane of this.lanes.values()) lane.arrived();
    return true;
  }

  close(): void {
    this.turn++;
    this.file.stop();
    for (const lane of this.lanes.values()) lane.close();
  }
}
