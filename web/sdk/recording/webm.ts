// The files of recordings: WebM and Matroska as media/webm's Growing writes them, and nothing else. The head is within its first bytes,
// each Cluster states its size, holds SimpleBlocks without lacing, and begins with its key frame, which the index at the end tells of.

/** Far more than a head takes, which has room for 64 tracks of 320 bytes. */
export const HEAD_BYTES = 32_768;
/** A frame has 1 MiB at most; no element that is read whole is larger than this, the index included. */
const MAX_ELEMENT = 4 << 20;

const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const SEEK_HEAD = 0x114d9b74;
const SEEK = 0x4dbb;
const SEEK_ID = 0x53ab;
const SEEK_POSITION = 0x53ac;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const CLUSTER = 0x1f43b675;
const TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const CUES = 0x1c53bb6b;
const CUE_POINT = 0xbb;
const CUE_TIME = 0xb3;
const CUE_POSITIONS = 0xb7;
const CUE_TRACK = 0xf7;
const CUE_CLUSTER = 0xf1;

const KEY = 0x80;

/** The file is not one of a recording, or is damaged. */
export class FormatError extends Error {
  constructor(text: string) {
    super(text);
    this.name = 'FormatError';
  }
}

/** A TrackEntry, its numbers and texts by their ids, those of Video, Audio and Colour among them. */
export interface TrackEntry {
  number: number;
  fields: ReadonlyMap<number, Uint8Array>;
}

export interface Head {
  /** ms. */
  length: number;
  tracks: TrackEntry[];
  /** Where the data of the Segment begins, from which the index counts. */
  segment: number;
  /** Where the first Cluster begins. */
  clusters: number;
  /** Where the index begins; undefined: there is none. */
  cues: number | undefined;
  /** ms of a tick. */
  tick: number;
}

/** One frame. */
export interface Packet {
  track: number;
  /** ms. */
  at: number;
  key: boolean;
  data: Uint8Array;
}

/** A place from which playing can start. */
export interface Cue {
  at: number;
  track: number;
  offset: number;
}

interface Element {
  id: number;
  /** Infinity: not stated. */
  size: number;
  /** Where its data begins. */
  data: number;
}

/** Reads the header at an offset; undefined: it is not all there. */
function header(bytes: Uint8Array, at: number): Element | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const idLength = Math.clz32(first) - 23;
  if (idLength > 4) throw new FormatError(`no element at byte ${at}`);
  const sizeFirst = bytes[at + idLength];
  if (sizeFirst === undefined) return undefined;
  const sizeLength = Math.clz32(sizeFirst) - 23;
  if (sizeLength > 8) throw new FormatError(`no size at byte ${at}`);
  const data = at + idLength + sizeLength;
  if (data > bytes.length) return undefined;
  const mask = 0xff >> sizeLength;
  const rest = bytes.subarray(at + idLength + 1, data);
  const open = (sizeFirst & mask) === mask && rest.every((b) => b === 0xff);
  const size = open ? Infinity : rest.reduce((n, b) => n * 256 + b, sizeFirst & mask);
  return { id: uint(bytes.subarray(at, at + idLength)), size, data };
}

export const uint = (bytes: Uint8Array): number => bytes.reduce((n, b) => n * 256 + b, 0);

function float(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return bytes.length === 8 ? view.getFloat64(0) : bytes.length === 4 ? view.getFloat32(0) : 0;
}

/** The children of an element that is all there. */
function* children(bytes: Uint8Array): Generator<[id: number, data: Uint8Array]> {
  for (let at = 0; at < bytes.length; ) {
    const element = header(bytes, at);
    if (!element || element.data + element.size > bytes.length) throw new FormatError('an element reaches past the end of its parent');
    at = element.data + element.size;
    yield [element.id, bytes.subarray(element.data, at)];
  }
}

/** Reads the head of a file from its first bytes. */
export function readHead(bytes: Uint8Array): Head {
  const first = header(bytes, 0);
  const outer = first?.id === EBML ? header(bytes, first.data + first.size) : undefined;
  if (outer?.id !== SEGMENT) throw new FormatError('it is neither WebM nor Matroska');
  const head: Head = { length: 0, tracks: [], segment: outer.data, clusters: 0, cues: undefined, tick: 1 };
  for (let at = outer.data; ; ) {
    const element = header(bytes, at);
    if (!element) throw new FormatError('its head is too long');
    if (element.id === CLUSTER) return { ...head, clusters: at };
    at = element.data + element.size;
    if (at > bytes.length) throw new FormatError('its head is too long');
    const data = bytes.subarray(element.data, at);
    if (element.id === INFO) readInfo(head, data);
    else if (element.id === SEEK_HEAD) head.cues = cuesOf(head, data);
    else if (element.id === TRACKS) head.tracks = tracksOf(data);
  }
}

function readInfo(head: Head, data: Uint8Array): void {
  let ticks = 0;
  for (const [id, value] of children(data)) {
    if (id === TIMESTAMP_SCALE) head.tick = uint(value) / 1e6;
    else if (id === DURATION) ticks = float(value);
  }
  head.length = ticks * head.tick;
}

function cuesOf({ segment }: Head, data: Uint8Array): number | undefined {
  for (const [, seek] of [...children(data)].filter(([id]) => id === SEEK)) {
    const fields = new Map(children(seek));
    if (uint(fields.get(SEEK_ID) ?? new Uint8Array()) === CUES) return segment + uint(fields.get(SEEK_POSITION) ?? new Uint8Array());
  }
  return undefined;
}

function tracksOf(data: Uint8Array): TrackEntry[] {
  return [...children(data)].filter(([id]) => id === TRACK_ENTRY).map(([, entry]) => {
    const fields = new Map(flat(entry));
    return { number: uint(fields.get(0xd7) ?? new Uint8Array()), fields };
  });
}

/** Video, Audio and Colour have no child whose id means something else elsewhere in a TrackEntry. */
const PARENTS = new Set([0xe0, 0xe1, 0x55b0]);

function* flat(entry: Uint8Array): Generator<[id: number, data: Uint8Array]> {
  for (const [id, data] of children(entry)) {
    if (PARENTS.has(id)) yield* flat(data);
    else yield [id, data];
  }
}

/** Reads the index, in its order, which is that of time. */
export function readCues(bytes: Uint8Array, { segment, tick }: Head): Cue[] {
  const cues = header(bytes, 0);
  if (cues?.id !== CUES || cues.data + cues.size > bytes.length) throw new FormatError('no index is where it should be');
  const found: Cue[] = [];
  for (const [id, point] of children(bytes.subarray(cues.data, cues.data + cues.size))) {
    if (id !== CUE_POINT) continue;
    const fields = new Map(children(point));
    const where = new Map(children(fields.get(CUE_POSITIONS) ?? new Uint8Array()));
    const [time, track, cluster] = [fields.get(CUE_TIME), where.get(CUE_TRACK), where.get(CUE_CLUSTER)];
    if (time && track && cluster) found.push({ at: uint(time) * tick, track: uint(track), offset: segment + uint(cluster) });
  }
  return found;
}

/** The size of the index that may be read. */
export const MAX_CUES = MAX_ELEMENT;

/** Takes frames out of Clusters as their bytes come. */
export class Clusters {
  /** The end of the Clusters was met. */
  ended = false;
  private rest = new Uint8Array();
  private skip = 0;
  private time = 0;

  constructor(private readonly tick: number) {}

  push(bytes: Uint8Array): Packet[] {
    let at = Math.min(this.skip, bytes.length);
    this.skip -= at;
    const all = this.rest.length > 0 ? joined(this.rest, bytes) : bytes;
    const packets: Packet[] = [];
    while (!this.ended) {
      const element = header(all, at);
      if (!element) break;
      const { id, size, data } = element;
      if (id === CLUSTER) at = data;
      else if (id === CUES) this.ended = true;
      else if (id === TIMESTAMP || id === SIMPLE_BLOCK) {
        if (size > MAX_ELEMENT) throw new FormatError(`a frame of ${size} bytes`);
        if (data + size > all.length) break;
        if (id === TIMESTAMP) this.time = uint(all.subarray(data, data + size));
        else packets.push(this.block(all.subarray(data, data + size)));
        at = data + size;
      } else {
        at = Math.min(data + size, all.length);
        this.skip = data + size - at;
      }
    }
    this.rest = all.slice(at);
    return packets;
  }

  private block(bytes: Uint8Array): Packet {
    const [track = 0, high = 0, low = 0, flags = 0] = bytes;
    if (bytes.length < 4 || track < 0x80) throw new FormatError('a block without a track');
    const offset = ((high << 24) | (low << 16)) >> 16;
    return { track: track & 0x7f, at: (this.time + offset) * this.tick, key: (flags & KEY) !== 0, data: bytes.slice(4) };
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
