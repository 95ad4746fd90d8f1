// A file on its way into the room: pieces are read a little ahead, and given to their tracks when they are due. In the worker, whose
// timers run in hidden tabs, too.

import { nowUs } from '../session/clock';
import type { Clock } from '../send/capture-clock';
import type { OutFrame } from '../send/uplink';
import { LEVEL_UNKNOWN } from '../wire/wire';
import type { FileStreamWhy } from './api';
import type { MediaFile, Piece } from './media-file';
import { Timetable } from './timetable';

/** Where a track of the file goes. */
export interface Outlet {
  frame(frame: OutFrame): void;
  /** Takes over decoded media. */
  decoded(data: VideoFrame | AudioData, clock: Clock): void;
  /** Whether something waits for the link. */
  readonly waiting: boolean;
}

export interface PlayingHost {
  /** It plays, stands still, or is elsewhere; position: µs. */
  at(paused: boolean, position: number): void;
  over(why: FileStreamWhy): void;
  /** What an error of reading means. */
  faultOf(error: unknown): FileStreamWhy;
}

/** Decoded pictures are large, and decoders have few of them. Of all else a second is read ahead, in pieces of a millisecond or more. */
const MOST = { picture: 4, piece: 1_000 };
const TELL_MS = 500;
/** What waits for the link at the end goes yet, or grows too old, within this. */
const DRAIN_MS = 6_000;
const DRAIN_LOOK_MS = 20;

export class Playing {
  private readonly table: Timetable<Piece>;
  private readonly clock: Clock;
  private readonly tell: ReturnType<typeof setInterval>;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Tracks of which something was read, or which have nothing. */
  private readonly there = new Set<number>();
  /** Those who wait until there is room for more of their track. */
  private readonly readers = new Map<number, () => void>();
  private readonly reading: Promise<void>;
  private allRead = false;
  /** What was decoded last: it is given again while the file stands still, so that who comes meanwhile has a picture. */
  private still: { outlet: Outlet; picture: VideoFrame } | undefined;
  private drainUntil: number | undefined;
  private closed = false;

  constructor(
    private readonly file: MediaFile,
    private readonly outlets: readonly Outlet[],
    private readonly loop: boolean,
    private readonly host: PlayingHost,
  ) {
    this.table = new Timetable(file.tracks.map(({ kind, carried }) => (kind === 'video' && !carried ? MOST.picture : MOST.piece)));
    const due = (us: number): number => Math.round(this.table.due(us));
    this.clock = { map: due, toMember: due };
    this.tell = setInterval(() => (this.table.paused ? this.again() : this.told()), TELL_MS);
    this.reading = this.read().catch((error: unknown) => void (this.closed || this.host.over(this.host.faultOf(error))));
  }

  pause(): void {
    this.table.pause(nowUs());
    this.told();
  }

  resume(): void {
    this.table.resume(nowUs());
    this.told();
    this.schedule();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.tell);
    clearTimeout(this.timer);
    for (const piece of this.table.empty()) dispose(piece);
    this.still?.picture.close();
    this.still = undefined;
    for (const go of this.readers.values()) go();
    // What they hold they close when they end by themselves.
    void this.reading.then(() => this.file.close());
  }

  private told(): void {
    this.host.at(this.table.paused, this.table.position(nowUs()));
  }

  /** Round after round; a round begins when all tracks of the one before have been read. */
  private async read(): Promise<void> {
    let before: number;
    do {
      before = this.table.ends;
      this.table.round();
      await Promise.all(this.file.tracks.map((_, track) => this.readTrack(track, before)));
    } while (this.loop && !this.closed && this.table.ends > before);
    this.allRead = true;
    this.schedule();
  }

  private async readTrack(track: number, offset: number): Promise<void> {
    for await (const piece of this.file.tracks[track]!.pieces(offset)) {
      if (this.closed) return dispose(piece);
      this.table.put(track, piece);
      this.arrived(track);
      while (!this.closed && !this.table.wants(track)) await new Promise<void>((go) => this.readers.set(track, go));
      if (this.closed) return;
    }
    this.arrived(track);
  }

  /** The clock starts when there is something of each track, so that none begins late. */
  private arrived(track: number): void {
    this.there.add(track);
    if (this.there.size < this.outlets.length) return;
    this.table.begin(nowUs());
    this.schedule();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    const now = nowUs();
    const wait = this.table.wait(now) ?? (this.allRead && !this.table.paused ? DRAIN_LOOK_MS * 1000 : undefined);
    if (wait !== undefined) this.timer = setTimeout(() => this.run(), wait / 1000);
  }

  private run(): void {
    for (let due = this.table.take(nowUs()); due; due = this.table.take(nowUs())) {
      this.give(this.outlets[due.track]!, due.piece);
      this.readers.get(due.track)?.();
      this.readers.delete(due.track);
    }
    if (this.allRead && this.table.over(nowUs()) && this.drained()) return this.host.over({ code: 'finished', text: '' });
    this.schedule();
  }

  private give(outlet: Outlet, piece: Piece): void {
    if ('data' in piece) return this.giveDecoded(outlet, piece.data);
    const { data, key } = piece.frame;
    outlet.frame({ data, key, config: false, timestamp: this.clock.toMember(piece.us), level: LEVEL_UNKNOWN });
  }

  private giveDecoded(outlet: Outlet, data: VideoFrame | AudioData): void {
    if (data instanceof VideoFrame) {
      this.still?.picture.close();
      this.still = { outlet, picture: data.clone() };
    }
    outlet.decoded(data, this.clock);
  }

  private again(): void {
    const { outlet, picture } = this.still ?? {};
    if (picture) outlet?.decoded(new VideoFrame(picture, { timestamp: Math.round(this.table.at(nowUs())) }), this.clock);
  }

  /** What was given last is taken back with its track, unless the link has it. */
  private drained(): boolean {
    this.drainUntil ??= performance.now() + DRAIN_MS;
    return performance.now() > this.drainUntil || !this.outlets.some(({ waiting }) => waiting);
  }
}

function dispose(piece: Piece): void {
  if ('data' in piece) piece.data.close();
}
