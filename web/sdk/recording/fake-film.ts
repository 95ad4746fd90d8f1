// Test support: files as media/webm's Growing writes them.

import type { RecordingFile } from './api';

export interface Frame {
  track: number;
  at: number;
  key?: boolean;
  size?: number;
}

/** Tracks by their numbers, from 1 on. */
export interface FakeTrack {
  kind: 'video' | 'audio';
  codec: string;
  title: string;
  config?: number[];
}

const bytesOf = (n: number, length: number): number[] => Array.from({ length }, (_, i) => Math.floor(n / 256 ** (length - 1 - i)) % 256);
const idBytes = (id: number): number[] => bytesOf(id, id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1);
const textOf = (s: string): number[] => [...new TextEncoder().encode(s)];

/** An element with a size of eight bytes, or of one. */
export function element(id: number, data: number[], wide = data.length > 126): number[] {
  return [...idBytes(id), ...(wide ? [1, ...bytesOf(data.length, 7)] : [0x80 | data.length]), ...data];
}

const float = (value: number): number[] => [...new Uint8Array(new Float64Array([value]).buffer)].reverse();

function entry({ kind, codec, title, config = [] }: FakeTrack, number: number): number[] {
  const video = kind === 'video';
  const size = element(0xe0, [...element(0xb0, bytesOf(640, 2)), ...element(0xba, bytesOf(360, 2)), ...element(0x55b0, [...element(0x55b1, [6]), ...element(0x55ba, [6]), ...element(0x55bb, [6])])]);
  const sound = element(0xe1, [...element(0xb5, float(48_000)), ...element(0x9f, [2])]);
  const fields = [...element(0xd7, [number]), ...element(0x83, [video ? 1 : 2]), ...element(0x86, textOf(codec)), ...element(0x536e, textOf(title))];
  return element(0xae, [...fields, ...(config.length > 0 ? element(0x63a2, config) : []), ...(video ? size : sound)]);
}

/** What a frame's data is made of. */
const filling = ({ track, at }: Frame): number => (track * 50 + at) % 251;

function cluster(frames: readonly Frame[]): number[] {
  const start = Math.min(...frames.map(({ at }) => at));
  const blocks = frames.flatMap((f) => element(0xa3, [0x80 | f.track, ...bytesOf(f.at - start, 2), f.key ? 0x80 : 0, ...Array<number>(f.size ?? 40).fill(filling(f))]));
  return element(0x1f43b675, [...element(0xe7, bytesOf(start, 4)), ...blocks], true);
}

/** A file with these Clusters, and an entry of the index for each that begins with a key frame. Its head has room, as that of Growing does. */
export function film(tracks: readonly FakeTrack[], clusters: readonly (readonly Frame[])[]): Uint8Array {
  const room = 4_000;
  const info = element(0x1549a966, [...element(0x2ad7b1, bytesOf(1e6, 3)), ...element(0x4489, float(Math.max(...clusters.flat().map(({ at }) => at)) + 20))]);
  const table = (at: number): number[] => element(0x114d9b74, element(0x4dbb, [...element(0x53ab, bytesOf(0x1c53bb6b, 4)), ...element(0x53ac, bytesOf(at, 8))]));
  const rest = [...info, ...element(0x1654ae6b, [...tracks.flatMap((track, i) => entry(track, i + 1)), ...element(0xec, Array<number>(room).fill(0))])];
  let at = table(0).length + rest.length;
  const cues: number[] = [];
  const body: number[] = [];
  for (const frames of clusters) {
    const [first] = frames;
    if (first?.key) cues.push(...element(0xbb, [...element(0xb3, bytesOf(first.at, 4)), ...element(0xb7, [...element(0xf7, [first.track]), ...element(0xf1, bytesOf(at, 4))])]));
    for (const byte of cluster(frames)) body.push(byte);
    at = table(0).length + rest.length + body.length;
  }
  const segment = [...table(at), ...rest, ...body, ...element(0x1c53bb6b, cues, true)];
  return Uint8Array.from([...element(0x1a45dfa3, element(0x4282, textOf('webm'))), ...element(0x18538067, segment, true)]);
}

/** The file as a recording has it; remembers what was read. */
export class FakeFile implements RecordingFile {
  readonly name = 'film.webm';
  readonly type = 'video/webm';
  readonly reads: [start: number, end: number][] = [];
  stops = 0;

  constructor(readonly bytes: Uint8Array) {}

  get size(): number {
    return this.bytes.length;
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    this.reads.push([start, end]);
    return this.bytes.slice(start, end);
  }

  stop(): void {
    this.stops++;
  }
}
