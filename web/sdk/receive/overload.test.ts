import { describe, expect, test } from 'vitest';
import { seeded } from '../send/adapt-sim';
import { Overload } from './overload';

const TICK_MS = 150;

/** A device that can decode the layers up to fits(time), of three, and is asked for the best. Returns when it changed what, until ms. */
function run(until: number, fits: (ms: number) => number, behind = (over: boolean): number => (over ? 5 : 1)): { at: number; best: number | undefined }[] {
  const overload = new Overload();
  const changes: { at: number; best: number | undefined }[] = [];
  for (let now = 0; now < until; now += TICK_MS) {
    const layer = overload.best ?? 2;
    if (overload.update(behind(layer > fits(now)), layer, 3, now)) changes.push({ at: now, best: overload.best });
  }
  return changes;
}

test('more than 3 frames behind for half a second takes the next lower layer, and one more where that does not help', () => {
  const [first, second, ...more] = run(60_000, () => 0);
  expect(first).toMatchObject({ best: 1 });
  expect(first!.at).toBeGreaterThanOrEqual(500);
  expect(first!.at).toBeLessThan(1_000);
  expect(second).toMatchObject({ best: 0 });
  expect(second!.at - first!.at).toBeLessThan(3_500);
  expect(more).toEqual([]);
});

test('a moment of trouble, a few frames, or a look that comes late, change nothing', () => {
  expect(run(20_000, (ms) => (ms % 1_500 < 450 ? 0 : 2))).toEqual([]);
  expect(run(20_000, () => 0, () => 3)).toEqual([]);
  const overload = new Overload();
  expect([0, 1_000, 2_000, 3_000].map((now) => overload.update(9, 2, 3, now))).toEqual([false, false, false, false]);
});

test('the smallest layer is never left', () => {
  const overload = new Overload();
  for (let now = 0; now < 30_000; now += TICK_MS) expect(overload.update(20, 0, 3, now)).toBe(false);
});

test('it goes back up after calm, and stays where that was wrong', () => {
  const tried = run(300_000, (ms) => (ms < 15_000 ? 2 : 1));
  expect(tried.map(({ best }) => best)).toEqual([1, undefined, 1]);
  expect(tried[1]!.at - tried[0]!.at).toBeGreaterThanOrEqual(30_000);
  expect(run(120_000, (ms) => (ms < 5_000 ? 1 : 2)).map(({ best }) => best)).toEqual([1, undefined]);
});

test('what was too much while a call begins is tried again soon, once', () => {
  const [lower, higher, ...more] = run(300_000, (ms) => (ms < 3_000 ? 1 : 2));
  expect([lower!.best, higher!.best, more]).toEqual([1, undefined, []]);
  expect(lower!.at).toBeLessThan(1_000);
  expect(higher!.at).toBeGreaterThanOrEqual(8_000);
  expect(higher!.at).toBeLessThan(10_000);
  const slow = run(300_000, () => 1);
  expect(slow.map(({ best }) => best)).toEqual([1, undefined, 1]);
  expect(slow[1]!.at - slow[0]!.at).toBeGreaterThanOrEqual(8_000);
});

describe('whatever the device does', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('at most 3 changes in any 5 minutes, one layer at a time (%i)', (seed) => {
    const random = seeded(seed);
    let fits = 2;
    const changes = run(3_600_000, () => (random() < 0.01 ? (fits = Math.floor(3 * random())) : fits));
    expect(changes.length).toBeGreaterThan(2);
    changes.forEach(({ at, best = 2 }, i) => {
      expect(changes.filter((other) => other.at > at - 300_000 && other.at <= at).length).toBeLessThanOrEqual(3);
      expect(Math.abs(best - (changes[i - 1]?.best ?? 2))).toBe(1);
    });
  });
});
