import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeEncoder, fakeMedia, frame, unclosed } from '../fake-media';
import type { Skip } from './encode-layer';
import { CaptureClock } from './capture-clock';
import { VideoEncode } from './encode-video';
import type { Encoding } from './layered';

let encoding: Encoding;
let small: Encoding | undefined;
let obstacle: Skip | undefined;
let skipped: Skip[];
let encode: VideoEncode;
let us: number;

beforeEach(() => {
  vi.useFakeTimers();
  fakeMedia('take');
  small = undefined;
  encoding = { width: 640, height: 360, fps: 30, bitrate: 700_000 };
  obstacle = undefined;
  skipped = [];
  us = performance.now() * 1000;
  encode = new VideoEncode('camera', new CaptureClock(), {
    format: () => undefined,
    frame: () => undefined,
    encodings: () => [small, encoding],
    obstacle: () => obstacle,
    gated: () => false,
    skipped: (why) => skipped.push(why),
    failed: () => undefined,
  }, 2);
});

afterEach(() => {
  encode.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Frames of a camera with 30 of them a second. */
function capture(count: number): void {
  for (let i = 0; i < count; i++) {
    vi.advanceTimersByTime(33);
    encode.push(frame<VideoFrame>((us += 33_000)));
  }
}

test('another bitrate or frame rate takes no key frame, another size does', () => {
  capture(1);
  encoding = { ...encoding, bitrate: 400_000 };
  capture(1);
  encoding = { ...encoding, width: 480, height: 270 };
  capture(1);
  expect(FakeEncoder.told).toEqual(['640x360@30 700000', 'key', '640x360@30 400000', 'delta', '480x270@30 400000', 'key']);
});

test('the encoder is not told of every little change', () => {
  capture(1);
  encoding = { ...encoding, bitrate: 710_000 };
  capture(1);
  expect(FakeEncoder.told).toEqual(['640x360@30 700000', 'key', 'delta']);
});

test('a lower frame rate leaves frames out before they are encoded', () => {
  encoding = { ...encoding, fps: 10 };
  capture(30);
  expect(FakeEncoder.told.length - 1).toBeGreaterThanOrEqual(9);
  expect(FakeEncoder.told.length - 1).toBeLessThanOrEqual(11);
});

test('what cannot go out in time is not encoded, and counted by its reason', () => {
  capture(1);
  obstacle = 'uplink';
  capture(3);
  expect(FakeEncoder.told.length).toBe(2);
  expect(skipped).toEqual(['uplink', 'uplink', 'uplink']);
  expect(unclosed()).toBe(0);
});

const SMALL: Encoding = { width: 320, height: 180, fps: 30, bitrate: 100_000 };

test('a layer is encoded while it is wanted, begins with a key frame each time, and its encoder is closed behind it', () => {
  capture(1);
  small = SMALL;
  capture(2);
  expect(FakeEncoder.open).toBe(2);
  small = undefined;
  capture(1);
  expect(FakeEncoder.open).toBe(1);
  small = SMALL;
  capture(1);
  expect(FakeEncoder.told).toEqual([
    '640x360@30 700000', 'key', '320x180@30 100000', 'key', 'delta', 'delta', 'delta', 'delta', '320x180@30 100000', 'key', 'delta',
  ]);
});

test('all layers of a picture have one timestamp, and a key frame that is asked of one is made of that', () => {
  small = SMALL;
  capture(1);
  encode.forceKey(0);
  capture(1);
  expect(FakeEncoder.told.slice(-2)).toEqual(['key', 'delta']);
  expect(new Set(FakeEncoder.stamps.slice(0, 2)).size).toBe(1);
  expect(new Set(FakeEncoder.stamps).size).toBe(2);
});

test('where nothing is wanted nothing is encoded, and no picture is kept', () => {
  encode.close();
  const idle = new VideoEncode('camera', new CaptureClock(), {
    format: () => undefined, frame: () => undefined, encodings: () => [], obstacle: () => undefined, gated: () => false, skipped: () => undefined, failed: () => undefined,
  });
  idle.push(frame<VideoFrame>((us += 33_000)));
  expect(FakeEncoder.told).toEqual([]);
  expect(unclosed()).toBe(0);
});
