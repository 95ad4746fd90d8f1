// One file of a recording as frames, from any place on. It reads on and on in one place: a reader for each track would have to
// look through all of the file for one whose member has left, or has not come yet.

import type { RecordingFile } from './api';
import { fileTracks } from './tracks';
import type { FileTrack } from './tracks';
import { Clusters, FormatError, HEAD_BYTES, MAX_CUES, readCues, readHead } from './webm';
import type { Cue, Head, Packet } from './webm';

/** Read at a time. */
const STEP = 32_768;
/** How old a picture may be that stands for a track until its next key frame, ms; as where a recording is played to everybody. */
export const STILL_MS = 10_000;

export class Reel {
  /** ms. */
  readonly length: number;
  readonly tracks: readonly FileTrack[];
  private cues: Cue[] | undefined;
  private offset: number;
  private clusters: Clusters;
  /** What was read with the head of what comes behind it. */
  private ready: Uint8Array | undefined;

  private constructor(
    private readonly file: RecordingFile,
    private readonly head: Head,
    first: Uint8Array,
  ) {
    this.length = head.length;
    this.tracks = fileTracks(head.tracks);
    this.clusters = new Clusters(head.tick);
    this.offset = first.length;
    this.ready = first.subarray(head.clusters);
  }

  static async open(file: RecordingFile): Promise<Reel> {
    const first = await file.read(0, Math.min(HEAD_BYTES, file.size));
    return new Reel(file, readHead(first), first);
  }

  /** Goes where playing can start for a position in ms. What was under way is taken back. */
  async begin(ms: number): Promise<void> {
    if (ms <= 0 && this.ready) return;
    this.file.stop();
    const offset = ms > 0 ? placeOf(await this.index(), this.tracks, ms, this.head.clusters) : this.head.clusters;
    this.ready = undefined;
    this.offset = offset;
    this.clusters = new Clusters(this.head.tick);
  }

  private async index(): Promise<Cue[]> {
    const { cues } = this.head;
    if (cues === undefined) return [];
    if (this.file.size - cues > MAX_CUES) throw new FormatError('its index is too long');
    this.cues ??= readCues(await this.file.read(cues, this.file.size), this.head);
    return this.cues;
  }

  /** The frames that come next; undefined: there are no more. */
  async next(): Promise<Packet[] | undefined> {
    if (this.clusters.ended || (!this.ready && this.offset >= this.file.size)) return undefined;
    let bytes = this.ready;
    this.ready = undefined;
    if (!bytes) {
      const end = Math.min(this.offset + STEP, this.file.size);
      const { clusters } = this;
      bytes = await this.file.read(this.offset, end);
      // Somebody went elsewhere meanwhile.
      if (clusters !== this.clusters) return [];
      this.offset = end;
    }
    return this.clusters.push(bytes);
  }
}

/**
 * Where to read from for a position: at its place in the index, or before, where another picture has its last key frame; but for
 * pictures that were last seen to begin long before.
 */
export function placeOf(cues: readonly Cue[], tracks: readonly FileTrack[], ms: number, first: number): number {
  const before = cues.filter(({ at }) => at <= ms);
  const nearest = before.at(-1);
  if (!nearest) return first;
  const pictures = new Set(tracks.filter(({ kind }) => kind === 'video').map(({ number }) => number));
  let offset = nearest.offset;
  for (const { track, at, offset: where } of before.reverse()) {
    if (at < nearest.at - STILL_MS) break;
    if (pictures.delete(track)) offset = Math.min(offset, where);
  }
  return offset;
}
