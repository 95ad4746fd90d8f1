import { describe, expect, test } from 'vitest';
import { CaptureClock, Monotonic, Timeline } from './capture-clock';
import { LevelMeter } from './level';
import { pictureBitrate, pictureSize } from './picture';

describe('the member\'s clock', () => {
  test('follows the frame that was delivered fastest', () => {
    const clock = new CaptureClock();
    let us = 0;
    for (let i = 0; i < 90; i++) us = clock.map(1_000_000 + i * 33_000, 5_020_000 + i * 33_000 + (i % 7) * 4_000);
    expect(us).toBe(5_020_000 + 89 * 33_000);
  });

  test('soon forgets a first frame that was dated ahead', () => {
    const clock = new CaptureClock();
    clock.map(1_600_000, 5_000_000);
    expect(clock.map(1_033_000, 5_033_000)).toBe(5_033_000);
  });

  test('forgets a burst of frames that were dated ahead within 3 s', () => {
    const clock = new CaptureClock();
    let off = 0;
    for (let i = 0; i < 300; i++) {
      const ahead = i < 20 ? 400_000 : 0;
      off = 5_000_000 + i * 10_000 - clock.map(1_000_000 + i * 10_000 + ahead, 5_000_000 + i * 10_000);
    }
    expect(off).toBe(0);
  });

  test('gives way when the capture clock runs 0.01 % slow', () => {
    const clock = new CaptureClock();
    let off = 0;
    for (let i = 0; i < 30 * 600; i++) {
      const capture = i * 33_333;
      const now = capture * 1.0001 + 5_000;
      off = now - clock.map(capture, now);
    }
    expect(Math.abs(off)).toBeLessThan(1_000);
  });

  test('starts anew when the capture clock jumps', () => {
    const clock = new CaptureClock();
    clock.map(1_000_000, 5_000_000);
    expect(clock.fits(90_000_000, 5_033_000)).toBe(false);
    expect(clock.map(90_000_000, 5_033_000)).toBe(5_033_000);
  });

  test('never goes back', () => {
    const stamps = new Monotonic();
    expect([10, 9, 9, 30].map((us) => stamps.next(us))).toEqual([10, 11, 12, 30]);
  });
});

describe('an audio encoder\'s timestamps', () => {
  test('skip the holes that the capture had, however small each was', () => {
    const timeline = new Timeline();
    let capture = 1_000_000;
    for (let i = 0; i < 10; i++, capture += 10_000) timeline.entered(capture, 10_000);
    for (let i = 0; i < 10; i++, capture += 60_000) timeline.entered(capture, 10_000);
    const encoded = 1_000_000 + 19 * 10_000;
    expect(timeline.captureTime(encoded)).toBe(capture - 60_000);
  });

  test('are not shaken by jitter of the capture timestamps', () => {
    const timeline = new Timeline();
    for (let i = 0; i < 500; i++) timeline.entered(i * 10_000 + (i % 2) * 6_000, 10_000);
    expect(Math.abs(timeline.captureTime(0) - 3_000)).toBeLessThan(500);
  });
});

describe('level', () => {
  test.each([
    ['a full-scale square', () => 1, 0],
    ['a tenth of it', () => 0.1, 20],
    ['a full-scale sine', (i: number) => Math.sin(i / 10), 3],
    ['silence', () => 0, 127],
  ])('%s', (_, wave, level) => {
    const meter = new LevelMeter();
    meter.add(Float32Array.from({ length: 9_600 }, (_, i) => wave(i)));
    expect(meter.take()).toBe(level);
    expect(meter.take()).toBe(127);
  });
});

describe('picture', () => {
  test.each([
    ['camera', 640, 360, 640, 360],
    ['camera', 1_920, 1_080, 1_280, 720],
    ['camera', 1_080, 1_920, 720, 1_280],
    ['camera', 641, 359, 642, 360],
    ['screen', 3_840, 2_160, 1_920, 1_080],
    ['screen', 1_366, 768, 1_366, 768],
  ] as const)('of a %s of %ix%i is sent as %ix%i', (source, width, height, w, h) => {
    expect(pictureSize({ width, height }, source)).toEqual({ width: w, height: h });
  });

  test('bitrates', () => {
    expect(pictureBitrate({ width: 640, height: 360 })).toBe(700_000);
    expect(pictureBitrate({ width: 1_280, height: 720 })).toBeCloseTo(1_800_000, -5);
  });
});
