import { describe, expect, test } from 'vitest';
import { element, FakeFile, film } from './fake-film';
import type { FakeTrack, Frame } from './fake-film';
import { placeOf, Reel } from './reel';
import { fileTracks } from './tracks';
import { Clusters, FormatError, readCues, readHead } from './webm';
import type { Packet } from './webm';

const TRACKS: FakeTrack[] = [
  { kind: 'video', codec: 'V_VP8', title: 'Ann · camera' },
  { kind: 'audio', codec: 'A_OPUS', title: 'Ann · mic' },
  { kind: 'video', codec: 'V_VP8', title: 'Bob · b · screen' },
];

/** A minute of Ann, whose key frames are 4 s apart, and of Bob, who leaves after 10 s. */
const clusters: Frame[][] = Array.from({ length: 120 }, (_, i) => {
  const at = i * 500;
  const ann: Frame[] = [0, 250].map((ms) => ({ track: 1, at: at + ms, key: i % 8 === 0 && ms === 0, size: 900 }));
  const sound: Frame[] = [0, 20, 40].map((ms) => ({ track: 2, at: at + ms, key: true }));
  return [...ann, ...sound];
});
const bob: Frame[][] = [0, 1, 2].map((i) => [{ track: 3, at: 100 + 4_000 * i, key: true, size: 500 }]);
const all = [...clusters, ...bob].sort((a, b) => a[0]!.at - b[0]!.at);
const bytes = film(TRACKS, all);

async function packetsFrom(reel: Reel, until: number): Promise<Packet[]> {
  const packets: Packet[] = [];
  while (!packets.some(({ at }) => at >= until)) {
    const next = await reel.next();
    if (!next) break;
    packets.push(...next);
  }
  return packets;
}

test('the head tells tracks, length and where the index is', () => {
  const head = readHead(bytes);
  expect(head.length).toBe(59_770);
  expect(fileTracks(head.tracks).map(({ name, id, kind, codec }) => [name, id, kind, codec])).toEqual([
    ['Ann', 'camera', 'video', 'vp8'], ['Ann', 'mic', 'audio', 'opus'], ['Bob · b', 'screen', 'video', 'vp8'],
  ]);
  expect(fileTracks(head.tracks)[0]!.video).toMatchObject({
    codec: 'vp8', codedWidth: 640, codedHeight: 360, colorSpace: { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m', fullRange: false },
  });
  const cues = readCues(bytes.subarray(head.cues), head);
  expect(cues.length).toBe(18);
  expect(cues[0]).toEqual({ at: 0, track: 1, offset: head.clusters });
});

test.each<[string, number[], string | undefined]>([
  ['V_VP9', [1, 1, 2, 2, 1, 31, 3, 1, 10], 'vp09.02.31.10'],
  ['V_VP9', [], 'vp09.00.41.08'],
  ['V_AV1', [0x81, 0x04, 0x4c, 0x00], 'av01.0.04M.10'],
  ['V_AV1', [0x81, 0x2d, 0x80, 0x00], 'av01.1.13H.08'],
  ['V_MPEG4/ISO/AVC', [1, 0x42, 0xc0, 0x1f, 0xff], 'avc1.42c01f'],
  ['V_MPEGH/ISO/HEVC', [1, 2, 3, 4], undefined],
])('%s with %j is decoded as %s', (codec, config, name) => {
  const [track] = fileTracks(readHead(film([{ kind: 'video', codec, title: 'x', config }], [[{ track: 1, at: 0, key: true }]])).tracks);
  expect(track!.video?.codec).toBe(name);
  expect(track!.video?.description !== undefined).toBe(codec === 'V_MPEG4/ISO/AVC');
});

describe('Clusters', () => {
  const head = readHead(bytes);
  const body = bytes.subarray(head.clusters);

  test.each([1, 7, 97, 4_096, body.length])('frames are the same whatever pieces of %i bytes come', (piece) => {
    const parser = new Clusters(head.tick);
    const packets: Packet[] = [];
    for (let at = 0; at < body.length; at += piece) packets.push(...parser.push(body.subarray(at, at + piece)));
    expect(packets.map(({ track, at, key }) => ({ track, at, key }))).toEqual(all.flat().map(({ track, at, key = false }) => ({ track, at, key })));
    expect(packets.every(({ track, at, data }) => data.every((b) => b === (track * 50 + at) % 251))).toBe(true);
    expect(parser.ended).toBe(true);
  });

  test('what is not known is left out, also where it is cut', () => {
    const parser = new Clusters(1);
    const data = Uint8Array.from([...element(0xec, Array<number>(300).fill(9)), ...element(0xe7, [5]), ...element(0xa3, [0x81, 0xff, 0xfe, 0, 1])]);
    expect([...parser.push(data.subarray(0, 100)), ...parser.push(data.subarray(100))]).toMatchObject([{ track: 1, at: 3, key: false }]);
  });

  test.each<[string, number[]]>([
    ['a frame larger than any', [0xa3, 1, 0, 0, 0, 1, 0, 0, 0]],
    ['no element', [0x00, 0x01]],
    ['a block without a track', element(0xa3, [0x01, 0, 0, 0, 1])],
  ])('%s is a damaged file', (_, data) => {
    expect(() => new Clusters(1).push(Uint8Array.from(data))).toThrow(FormatError);
  });
});

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array()],
  ['text', new TextEncoder().encode('<!doctype html>')],
  ['a head that does not end', bytes.subarray(0, 3_000)],
])('%s is no recording', (_, data) => {
  expect(() => readHead(data)).toThrow(FormatError);
});

describe('a reel', () => {
  test('begins with what came with the head, and needs no index for that', async () => {
    const file = new FakeFile(bytes);
    const reel = await Reel.open(file);
    await reel.begin(0);
    const packets = await packetsFrom(reel, 1_000);
    expect(packets[0]).toMatchObject({ track: 1, at: 0, key: true });
    expect([file.reads, file.stops]).toEqual([[[0, 32_768]], 0]);
  });

  test('goes where the last key frame is, and reads nothing but what lies between', async () => {
    const file = new FakeFile(bytes);
    const reel = await Reel.open(file);
    const begin = file.reads.length;
    await reel.begin(50_000);
    const packets = await packetsFrom(reel, 51_000);
    expect(packets[0]).toMatchObject({ track: 1, at: 48_000, key: true });
    expect(packets.find(({ track }) => track === 3)).toBeUndefined();
    // Bob left 40 s before: nobody looks for him.
    const read = file.reads.slice(begin + 1).reduce((sum, [start, end]) => sum + end - start, 0);
    expect(read).toBeLessThanOrEqual(32_768);
    await reel.begin(30_000);
    expect((await packetsFrom(reel, 30_500))[0]!.at).toBe(28_000);
    expect(file.stops).toBe(2);
  });

  test('ends where the index begins', async () => {
    const reel = await Reel.open(new FakeFile(bytes));
    await reel.begin(59_000);
    await packetsFrom(reel, Infinity);
    expect(await reel.next()).toBeUndefined();
  });
});

describe('where to begin', () => {
  const tracks = fileTracks(readHead(bytes).tracks);
  const cue = (at: number, track: number) => ({ at, track, offset: 1_000 + at });

  test.each<[string, [number, number][], number, number]>([
    ['before all', [[500, 1]], 100, 7],
    ['at the key frame of the only picture', [[0, 1], [4_000, 1], [8_000, 1]], 5_000, 5_000],
    ['where another picture has its last key frame', [[0, 1], [3_000, 3], [4_000, 1]], 4_500, 4_000],
    ['not with a picture that is long gone', [[0, 3], [20_000, 1]], 21_000, 21_000],
    ['where nothing is seen', [[0, 1], [5_000, 2], [40_000, 2]], 41_000, 41_000],
  ])('%s', (_, cues, ms, offset) => {
    expect(placeOf(cues.map(([at, track]) => cue(at, track)), tracks, ms, 7)).toBe(offset);
  });
});
