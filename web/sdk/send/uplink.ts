// What waits to be sent: one short queue per own track, in whole frames. Pure; time is an argument
// (ms). It decides what goes next and what is dropped (docs/protocol.md section 7): audio before
// video, video tracks in turn, nothing older than its track allows, a gate behind a dropped frame.

import { MIN_CHUNK } from './rate-filter';
import { audioExtra, CHUNK_HEADER, encodeAbandon, encodeChunk, MAX_FRAME, REASON_AGE, REASON_PUBLISHER } from '../wire/wire';

export interface OutFrame {
  data: Uint8Array;
  key: boolean;
  config: boolean;
  /** Full member clock, µs. */
  timestamp: number;
  /** Audio: -dBov and voice. */
  level?: number;
  voice?: boolean;
  /** Video: 0 where others depend on it. */
  temporal?: number;
}

interface Waiting extends OutFrame {
  group: number;
  frame: number;
  since: number;
  /** Bytes of it that have gone out. */
  sent: number;
}

/** Longest wait, ms (defaults of docs/protocol.md section 4). */
export const MAX_AGE = { audio: 300, video: 400, screen: 1_000 } as const;
export type UplinkClass = keyof typeof MAX_AGE;
/** The same for frames of a file that go as they are: nobody answers a file, and its next key frame may be far. */
const FILE_MAX_AGE = 1_000;
const MAX_QUEUE_BYTES = 2 * MAX_FRAME;
/** A key frame may take longer: without it nothing that follows is of use. */
const KEY_PATIENCE = 3;

export type Drop = 'age' | 'gate' | 'bytes' | 'lost';

export class UplinkTrack {
  /** Alias on the link, 0 while the relay has not given one: frames wait. */
  alias = 0;
  /** Set when the next frame must be a key frame, since the gate is closed. */
  gated = false;
  private queue: Waiting[] = [];
  private bytes = 0;
  private group = -1;
  private frame = 0;

  constructor(
    readonly id: string,
    readonly cls: UplinkClass,
    private readonly onDrop: (reason: Drop, frames: number) => void,
    /** Frames of a file, as they are. */
    readonly file = false,
  ) {}

  private get maxAge(): number {
    return this.file ? FILE_MAX_AGE : MAX_AGE[this.cls];
  }

  /** Takes a frame; false when it was dropped. */
  push(frame: OutFrame, now: number): boolean {
    if (frame.data.length === 0) return true;
    if (this.gated && !frame.key) return this.drop('gate', 1);
    if (frame.data.length > MAX_FRAME || this.bytes + frame.data.length > MAX_QUEUE_BYTES) {
      this.gated = this.cls !== 'audio';
      return this.drop('bytes', 1);
    }
    this.gated = false;
    const starts = frame.key || this.cls === 'audio';
    this.group = starts ? (this.group + 1) >>> 0 : this.group;
    this.frame = starts ? 0 : this.frame + 1;
    this.queue.push({ ...frame, group: this.group, frame: this.frame, since: now, sent: 0 });
    this.bytes += frame.data.length;
    return true;
  }

  private drop(reason: Drop, frames: number): false {
    this.onDrop(reason, frames);
    return false;
  }

  get waiting(): boolean {
    return this.queue.length > 0;
  }

  /** Age of the oldest frame, ms. */
  age(now: number): number {
    return this.queue[0] ? now - this.queue[0].since : 0;
  }

  /** Drops what is too old. Returns an Abandon when a group that receivers have begun is given up. */
  expire(now: number): Uint8Array | undefined {
    const head = this.queue[0];
    if (!head) return undefined;
    if (this.cls === 'audio') {
      while (this.queue[0] && this.queue[0].sent === 0 && this.age(now) > this.maxAge) this.shift('age');
      return undefined;
    }
    const patience = head.key ? KEY_PATIENCE : 1;
    return this.age(now) > this.maxAge * patience ? this.abandon(REASON_AGE) : undefined;
  }

  /** Gives up the rest of the group at the head; the next group, if one waits already, is kept. */
  private abandon(reason: number): Uint8Array | undefined {
    const head = this.queue[0]!;
    const next = this.queue.findIndex((f) => f.group !== head.group);
    const doomed = next < 0 ? this.queue.length : next;
    if (reason === REASON_AGE) {
      this.onDrop('age', 1);
      if (doomed > 1) this.onDrop('gate', doomed - 1);
    }
    if (next < 0) this.gated = true;
    for (const f of this.queue.splice(0, doomed)) this.bytes -= f.data.length;
    const begun = head.frame > 0 || head.sent > 0;
    return begun && this.alias ? encodeAbandon({ reason, alias: this.alias, group: head.group, frame: head.frame }) : undefined;
  }

  private shift(reason: Drop): void {
    this.bytes -= this.queue.shift()!.data.length;
    this.onDrop(reason, 1);
  }

  /** The next chunk of the oldest frame, with at most size bytes of payload. */
  chunk(size: number): Uint8Array | undefined {
    const head = this.queue[0];
    if (!head || !this.alias) return undefined;
    const payload = head.data.subarray(head.sent, head.sent + size);
    const last = head.sent + payload.length === head.data.length;
    const extra = this.cls === 'audio' ? audioExtra(head.level ?? 0, head.voice ?? false) : head.data.length;
    const chunk = encodeChunk(
      {
        key: head.key || this.cls === 'audio',
        last,
        config: head.config,
        sync: false,
        encrypted: false,
        temporal: head.temporal ?? 0,
        alias: this.alias,
        group: head.group,
        frame: head.frame,
        offset: head.sent,
        timestamp: head.timestamp % 2 ** 32,
      },
      payload,
      extra,
    );
    head.sent += payload.length;
    if (last) this.bytes -= this.queue.shift()!.data.length;
    return chunk;
  }

  /** The link is gone and what waits is stale: the next frame must be a key frame of a new group. */
  reset(): void {
    if (this.queue.length) this.onDrop('lost', this.queue.length);
    this.queue = [];
    this.bytes = 0;
    this.gated = this.cls !== 'audio';
  }

  /** Muted: what waits is not to be heard any more. */
  hush(): Uint8Array | undefined {
    if (this.cls === 'audio' || !this.queue[0]) {
      this.queue = [];
      this.bytes = 0;
      return undefined;
    }
    return this.abandon(REASON_PUBLISHER);
  }
}

const MAX_CHUNK = 16_384;
const FIRST_CHUNK = 4_096;
const CHUNK_SECONDS = 0.015;

/** Payload of a chunk: 15 ms of the rate (bytes a second, 0 = not known), a multiple of 16. */
export function chunkSize(rate: number): number {
  if (rate === 0) return FIRST_CHUNK;
  const bytes = Math.floor(rate * CHUNK_SECONDS) - CHUNK_HEADER;
  const size = Math.min(Math.max(bytes, MIN_CHUNK), MAX_CHUNK);
  return size - (size % 16);
}

/** The queues of all own tracks, and the order in which they are served. */
export class Uplink {
  readonly tracks = new Map<string, UplinkTrack>();
  readonly drops: Record<string, number> = {};
  /** Bytes that went out as chunks: of pictures that are encoded here, and of sound and all else that no encoder can make less of. */
  readonly sent = { fixed: 0, video: 0 };
  private turn = 0;

  /** A queue for a track, or with layer for one that goes beside it; taken out by remove of the track. file: see UplinkTrack. */
  add(id: string, cls: UplinkClass, layer = '', file = false): UplinkTrack {
    const track = new UplinkTrack(id, cls, (reason, frames) => this.count(reason, frames), file);
    this.tracks.set(id + layer, track);
    return track;
  }

  /** The track is over, with all its layers. */
  remove(id: string): void {
    for (const [key, track] of this.tracks) if (track.id === id) this.tracks.delete(key);
  }

  count(reason: string, frames: number): void {
    this.drops[reason] = (this.drops[reason] ?? 0) + frames;
  }

  /** Drops what is too old. What comes back tells receivers so, and goes before anything else. */
  expire(now: number): Uint8Array[] {
    return [...this.tracks.values()].flatMap((track) => track.expire(now) ?? []);
  }

  /** The next chunk, of at most size bytes of payload: sound first, pictures in turn. */
  next(size: number): Uint8Array | undefined {
    return this.nextSound(size) ?? this.nextPicture(size);
  }

  /** The next chunk of sound alone. */
  nextSound(size: number): Uint8Array | undefined {
    for (const track of this.tracks.values()) {
      const chunk = track.cls === 'audio' ? track.chunk(size) : undefined;
      if (!chunk) continue;
      this.sent.fixed += chunk.length;
      return chunk;
    }
    return undefined;
  }

  /** Age of the sound that goes next, ms; 0 where none waits for room. */
  soundAge(now: number): number {
    for (const track of this.tracks.values()) if (track.cls === 'audio' && track.waiting && track.alias) return track.age(now);
    return 0;
  }

  private nextPicture(size: number): Uint8Array | undefined {
    const tracks = [...this.tracks.values()];
    for (let i = 0; i < tracks.length; i++) {
      const at = (this.turn + i) % tracks.length;
      const track = tracks[at]!;
      const chunk = track.cls === 'audio' ? undefined : track.chunk(size);
      if (!chunk) continue;
      this.turn = at + 1;
      this.sent[track.file ? 'fixed' : 'video'] += chunk.length;
      return chunk;
    }
    return undefined;
  }

  /** Whether something could go, if there was room. */
  get ready(): boolean {
    return [...this.tracks.values()].some((t) => t.waiting && t.alias);
  }

  get waiting(): boolean {
    return [...this.tracks.values()].some((t) => t.waiting);
  }

  /** Age of the oldest frame that waits for room, not for the relay's answer, ms. */
  age(now: number): number {
    return Math.max(0, ...[...this.tracks.values()].map((t) => (t.alias ? t.age(now) : 0)));
  }

  reset(): void {
    for (const track of this.tracks.values()) {
      track.reset();
      track.alias = 0;
    }
  }
}
