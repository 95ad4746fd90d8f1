import { expect, test } from 'vitest';
import { TrackClock, unwrap32 } from './unwrap';

const WRAP = 2 ** 32;

test.each([
  [5, 0, 5],
  [5, WRAP - 10, WRAP + 5],
  [WRAP - 5, WRAP + 3, WRAP - 5],
  [0x1234, 7 * WRAP + 0x1000, 7 * WRAP + 0x1234],
  [0, 2 ** 51, 2 ** 51],
])('low bits %i near %i are %i', (low, expected, full) => {
  expect(unwrap32(low, expected)).toBe(full);
});

test('a track that was silent for hours keeps its place', () => {
  const clock = new TrackClock(1_000_000, 0);
  const twoHours = 7_200_000_000;
  const us = 1_000_000 + twoHours;
  expect(clock.full(us % WRAP, twoHours + 30_000)).toBe(us);
  expect(clock.full((us + 20_000) % WRAP, twoHours + 50_000)).toBe(us + 20_000);
});

test('a frame from before the announced value is not thrown 71 minutes ahead', () => {
  const clock = new TrackClock(WRAP + 500, 0);
  expect(clock.full(WRAP - 40_000, 0)).toBe(WRAP - 40_000);
});
