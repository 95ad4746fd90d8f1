import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeMedia, frame } from '../fake-media';
import type { WireTrack } from '../wire/messages';
import { encodeChunk, parseBinary } from '../wire/wire';
import type { Chunk } from '../wire/wire';
import { nowUs } from '../session/clock';
import { AudioReceiver, VideoReceiver } from './receiver';
import type { Sound } from './sound';

/** What all decoders were told and given, in order: the size they were configured with, or the first byte of a frame. */
let given: (string | number)[];
let decoders: number;
let painted: number[];
let receiver: VideoReceiver;

class FakeDecoder {
  decodeQueueSize = 0;
  state = 'configured';
  ondequeue: unknown;
  constructor(private readonly init: VideoDecoderInit) {
    decoders++;
  }
  configure({ codec, codedWidth }: VideoDecoderConfig): void {
    given.push(`${codec} ${codedWidth}`);
  }
  decode(chunk: { data: Uint8Array; timestamp: number }): void {
    given.push(chunk.data[0]!);
    this.init.output(frame<VideoFrame>(chunk.timestamp));
  }
  close(): void {
    this.state = 'closed';
  }
}

beforeEach(() => {
  given = [];
  decoders = 0;
  painted = [];
  fakeMedia('take');
  vi.useFakeTimers();
  vi.stubGlobal('VideoDecoder', FakeDecoder);
  vi.stubGlobal('EncodedVideoChunk', class {
    constructor(init: object) {
      Object.assign(this, init);
    }
  });
});

afterEach(() => {
  receiver.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function watch(codecStrings: [string, string]): void {
  const layers = codecStrings.map((codecString, i) => ({ alias: i + 1, width: 320 * (i + 1), height: 180 * (i + 1), codecString, config: '' }));
  const track = { id: 'camera', kind: 'video', source: 'camera', codec: 'vp8', codecString: 'vp8', width: 640, height: 360, layers } as unknown as WireTrack;
  receiver = new VideoReceiver({ member: 'bob', track, aliases: [1, 2] }, { needKey: () => given.push('needs key'), heard: () => undefined, level: () => undefined });
  const drawImage = (picture: VideoFrame): number => painted.push(picture.timestamp / 1000);
  receiver.screen.canvases.add({ getContext: () => ({ drawImage }) } as unknown as OffscreenCanvas);
}

/** A frame whose only byte is 10 times its alias, and its number in the group; captured at this time, ms. */
function send(alias: number, group: number, at: number, number: number): void {
  const head = { key: number === 0, last: true, config: false, sync: false, encrypted: false, temporal: 0, alias, group, frame: number, offset: 0, timestamp: at * 1000 };
  receiver.take(parseBinary(encodeChunk(head, new Uint8Array([10 * alias + number]), 1)) as Chunk);
  vi.advanceTimersByTime(40);
}

test('another layer takes over in the same decoder, which is not told of another size alone', () => {
  watch(['', '']);
  send(2, 5, 0, 0);
  send(2, 5, 40, 1);
  receiver.take({ kind: 'abandon', reason: 9, alias: 2, group: 5, frame: 2 });
  send(1, 8, 80, 0);
  send(1, 8, 120, 2);
  expect(given).toEqual(['vp8 640', 20, 21, 10, 12]);
  expect(decoders).toBe(1);
  expect(receiver.layer(false)).toEqual({ height: 180, of: [180, 360], why: 'asked' });
  expect(receiver.layer(true)?.why).toBe('device');
  vi.advanceTimersByTime(500);
  expect(painted).toEqual([0, 40, 80, 120]);
});

test('where the format differs, the decoder is configured anew', () => {
  watch(['vp8', 'vp09.00.10.08']);
  send(2, 5, 0, 0);
  send(1, 5, 40, 0);
  send(1, 6, 80, 0);
  expect(given).toEqual(['vp09.00.10.08 640', 20, 'vp8 320', 10, 10]);
});

test('a layer that begins with a burst of earlier pictures shows none that is older than the one shown', () => {
  watch(['', '']);
  send(2, 5, 1_000, 0);
  receiver.take({ kind: 'catch-up', begin: true, alias: 1, group: 3, frames: 2 });
  send(1, 3, 920, 0);
  send(1, 3, 960, 1);
  receiver.take({ kind: 'catch-up', begin: false, alias: 1, group: 3, frames: 0 });
  send(1, 3, 1_040, 2);
  vi.advanceTimersByTime(500);
  expect(given).toEqual(['vp8 640', 20, 10, 11, 12]);
  expect(painted).toEqual([1_000, 1_040]);
});

test('what still comes of the former layer is ignored, and asks for nothing', () => {
  watch(['', '']);
  send(2, 5, 0, 0);
  send(1, 8, 40, 0);
  send(2, 5, 80, 1);
  receiver.take({ kind: 'abandon', reason: 9, alias: 2, group: 5, frame: 2 });
  send(1, 8, 120, 1);
  expect(given).toEqual(['vp8 640', 20, 10, 11]);
});

test('sound by RTP is behind by its own time, not by how long ago it was told of', () => {
  watch(['vp8', 'vp8']);
  vi.stubGlobal('AudioDecoder', FakeDecoder);
  const sound = { heard: () => ({ mediaUs: 10_000_000, localUs: nowUs() }), port: { close: () => undefined } } as unknown as Sound;
  const track = { id: 'mic', kind: 'audio', source: 'mic', codec: 'opus', codecString: 'opus', sampleRate: 48_000, channels: 1, layers: [] } as unknown as WireTrack;
  const audio = new AudioReceiver({ member: 'bob', track, aliases: [3] }, { needKey: () => undefined, heard: () => undefined, level: () => undefined }, sound);
  const told = { bytes: 0, packets: 0, jitter: 0, delay: 0, at: performance.now() - 200 };
  audio.line = { ...told, us: 9_750_000 };
  expect(audio.ready(performance.now())).toBe(true);
  audio.line = { ...told, us: 9_600_000 };
  expect(audio.ready(performance.now())).toBe(false);
  audio.close();
});
