import { expect, test } from 'vitest';
import { Pace } from './pace';

/** Which of the frames of a camera are taken. */
function taken(cameraFps: number, fps: number, jitterUs = 0): number[] {
  const pace = new Pace();
  const frames = Array.from({ length: 10 * cameraFps }, (_, i) => 5_000_000 + (i * 1_000_000) / cameraFps + jitterUs * (i % 2));
  return frames.flatMap((us, i) => (pace.due(us, fps) ? [i] : []));
}

test.each([
  [30, 30, 300],
  [60, 30, 300],
  [30, 20, 200],
  [30, 10, 100],
  [24, 30, 240],
])('a camera of %i frames a second, thinned to %i', (camera, fps, most) => {
  for (const jitter of [0, 4_000]) {
    const count = taken(camera, fps, jitter).length;
    expect(count).toBeGreaterThanOrEqual(0.93 * most);
    expect(count).toBeLessThanOrEqual(1.05 * most);
  }
});

test('evenly: no hole is longer than two frames of the camera', () => {
  const frames = taken(30, 20);
  for (const [i, frame] of frames.entries()) expect(frame - (frames[i - 1] ?? frame)).toBeLessThanOrEqual(2);
});

test('a clock that jumps is followed', () => {
  const pace = new Pace();
  expect(pace.due(9_000_000, 30)).toBe(true);
  expect(pace.due(9_010_000, 30)).toBe(false);
  expect(pace.due(100_000, 30)).toBe(true);
});
