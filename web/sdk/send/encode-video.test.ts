import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeEncoder, fakeMedia, frame, unclosed } from '../fake-media';
import type { Encoding } from './adapt';
import { CaptureClock } from './capture-clock';
import { VideoEncode } from './encode-video';
import type { Skip } from './encode-video';

let encoding: Encoding;
let obstacle: Skip | undefined;
let skipped: Skip[];
let encode: VideoEncode;
let us: number;

beforeEach(() => {
  vi.useFakeTimers();
  fakeMedia('take');
  encoding = { width: 640, height: 360, fps: 30, bitrate: 700_000 };
  obstacle = undefined;
  skipped = [];
  us = performance.now() * 1000;
  encode = new VideoEncode('camera', new CaptureClock(), {
    format: () => undefined,
    frame: () => undefined,
    encoding: () => encoding,
    obstacle: () => obstacle,
    gated: () => false,
    skipped: (why) => skipped.push(why),
    failed: () => undefined,
  });
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
