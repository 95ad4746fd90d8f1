import { describe, expect, test } from 'vitest';
import { Adapt } from './adapt';
import { seeded, Simulation } from './adapt-sim';
import type { Reading } from './budget';
import { ladder } from './ladder';

const MBIT = 1e6 / 8;
const VGA = { width: 640, height: 360 };
const HD = { width: 1_280, height: 720 };

const percentile = (values: number[], share: number): number => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)]!;

function longestGap(times: number[], from: number, to: number): number {
  const within = times.filter((t) => t >= from && t < to);
  return Math.max(...within.map((t, i) => t - (within[i - 1] ?? t)));
}

describe('an uplink that falls from 3 to 0.5 Mbit/s, and rises again', () => {
  const down = 10_000;
  const up = 25_000;
  test.each([
    ['640x360', VGA, 1],
    ['640x360', VGA, 2],
    ['1280x720', HD, 1],
    ['1280x720', HD, 2],
  ])('%s', (_, captured, seed) => {
    const sim = new Simulation((ms) => (ms > down && ms < up ? 0.5 : 3) * MBIT, 30, captured, seed);
    sim.run(up + 15_000);
    const late = sim.samples.filter(({ at, queueAge }) => at > down + 2_000 && queueAge > 200);
    expect(late, 'waiting over 200 ms, later than 2 s after the fall').toEqual([]);
    expect(longestGap(sim.pictures, down, up)).toBeLessThan(600);
    const low = sim.samples.filter(({ at }) => at > down + 3_000 && at < up).map(({ target }) => target);
    expect(Math.max(...low)).toBeLessThan(450_000);
    const { step, target } = sim.samples.at(-1)!;
    expect(step, 'step 15 s after the rise').toBe(0);
    expect(target).toBeGreaterThan(0.85 * ladder(captured, 'camera')[0]!.most);
    // What was on the way when the link fell stands before the sound of that half second.
    expect(sim.packets - sim.sound.length).toBeLessThan(60);
  });
});

test.each([
  [0.2, VGA], [0.25, VGA], [0.35, VGA], [0.5, VGA], [0.8, VGA], [0.3, HD], [0.5, HD], [0.8, HD], [1.2, HD],
])('at %f Mbit/s the step settles, with at most 3 changes in 5 minutes', (rate, captured) => {
  const sim = new Simulation(() => rate * MBIT, 30, captured, 3);
  sim.run(300_000);
  expect(sim.changes.length, JSON.stringify(sim.changes)).toBeLessThanOrEqual(3);
  const settled = sim.samples.filter(({ at }) => at > 10_000);
  expect(percentile(settled.map(({ queueAge }) => queueAge), 0.95)).toBeLessThanOrEqual(100);
  expect(settled.reduce((sum, { sent }) => sum + sent, 0) / settled.length).toBeGreaterThan(0.6 * rate * 1e6);
}, 20_000);

/** Stands still for 50 to 250 ms after every 200 to 1,000 ms, as on a machine that has more to do than it can. */
function starved(seed: number, until: number): (ms: number) => boolean {
  const random = seeded(seed);
  const stills: [from: number, to: number][] = [];
  for (let at = 3_000; at < until; ) {
    const from = at + 200 + 800 * random();
    at = from + 50 + 200 * random();
    stills.push([from, at]);
  }
  return (ms) => stills.some(([from, to]) => ms >= from && ms < to);
}

test.each([1, 2, 3])('a page and a relay that get no time now and then change no step', (seed) => {
  const until = 40_000;
  const sim = new Simulation(() => 3 * MBIT, 30, VGA, seed, starved(seed, until), starved(seed + 9, until));
  sim.run(until);
  expect(sim.changes).toEqual([]);
  expect(percentile(sim.samples.map(({ target }) => target), 0.1)).toBeGreaterThan(550_000);
});

test.each([
  [0.3, 20],
  [1, 5],
  [1, 80],
  [4, 20],
])('sound does not wait behind pictures at %f Mbit/s and %i ms', (rate, delay) => {
  const sim = new Simulation(() => rate * MBIT, delay, HD, 5);
  sim.run(20_000);
  const ages = sim.sound.filter(({ at }) => at > 3_000).map(({ age }) => age - delay);
  expect(ages.length).toBeGreaterThan(840);
  expect(percentile(ages, 0.95)).toBeLessThan(100);
});

const FREE: Reading = { capacity: 0, rate: 0, shown: 0, delay: 0, queueAge: 0, audio: 40_000, video: 600_000 };

/** Lets time pass with the same reading, a tenth of a second at a time; returns the time then. */
function pass(adapt: Adapt, reading: Reading, from: number, ms: number): number {
  for (let now = from; now < from + ms; now += 100) adapt.update(reading, now);
  return from + ms;
}

describe('rules', () => {
  test('down at once when something waits too long, and when it goes on to what is left beside sound', () => {
    const adapt = new Adapt();
    adapt.add('camera', 'camera', VGA);
    const full = { ...FREE, capacity: 600_000, queueAge: 150 };
    adapt.update(full, 0);
    expect(adapt.place('camera')!.aim).toBe(0.85 * 700_000);
    pass(adapt, full, 100, 500);
    expect(adapt.place('camera')!.aim).toBe(0.85 * 600_000 - 1.4 * 40_000);
    expect(adapt.place('camera')!.step).toBe(0);
  });

  test('a key frame that waits at a low frame rate is no trouble', () => {
    const adapt = new Adapt();
    adapt.add('camera', 'camera', VGA);
    const now = pass(adapt, { ...FREE, capacity: 130_000, queueAge: 400 }, 0, 4_000);
    expect(adapt.place('camera')!.encoding.fps).toBe(10);
    const { aim } = adapt.place('camera')!;
    pass(adapt, { ...FREE, queueAge: 180 }, now, 300);
    expect(adapt.place('camera')!.aim).toBe(aim);
  });

  test('a step that was lost soon after it was tried is not tried again for minutes, but when more is seen to be delivered', () => {
    const adapt = new Adapt();
    adapt.add('camera', 'camera', HD);
    const full: Reading = { ...FREE, capacity: 800_000, rate: 800_000, delay: 150 };
    const calm: Reading = { ...FREE, rate: 800_000 };
    const best = (): number => adapt.place('camera')!.step;
    let now = pass(adapt, full, 0, 6_000);
    const settled = best();
    expect(settled).toBeGreaterThan(0);
    // It seems to go well until the step is taken; then it does not.
    while (best() === settled && now < 200_000) now = pass(adapt, { ...calm, rate: 2_000_000 }, now, 100);
    expect(best()).toBe(settled - 1);
    now = pass(adapt, full, now, 6_000);
    expect(best()).toBe(settled);
    now = pass(adapt, calm, now, 200_000);
    expect(best()).toBe(settled);
    pass(adapt, { ...calm, rate: 2_000_000 }, now, 5_000);
    expect(best()).toBeLessThan(settled);
  });

  test('an encoder that makes more than it is told is told less, and where that does not help its pictures get smaller', () => {
    const adapt = new Adapt();
    adapt.add('camera', 'camera', VGA);
    const now = pass(adapt, { ...FREE, video: 770_000 }, 0, 20_000);
    const { aim, encoding, step } = adapt.place('camera')!;
    expect([aim, step]).toEqual([700_000, 0]);
    expect(encoding.bitrate).toBeLessThan(620_000);
    pass(adapt, { ...FREE, video: 820_000, capacity: 900_000, queueAge: 120 }, now, 2_500);
    expect(adapt.place('camera')!.step).toBe(1);
  });

  test('a screen that comes beside a camera takes nothing from it where there is room', () => {
    const adapt = new Adapt();
    adapt.add('camera', 'camera', VGA);
    const now = pass(adapt, FREE, 0, 5_000);
    adapt.add('screen', 'screen', { width: 1_920, height: 1_080 });
    pass(adapt, { ...FREE, video: 3_000_000 }, now, 100);
    expect(adapt.place('camera')!.aim).toBe(700_000);
    expect(adapt.place('screen')!.aim).toBeGreaterThan(2_500_000);
    expect(adapt.place('screen')!.step).toBe(0);
  });

  test('screens come first, and a camera beside one keeps a part', () => {
    const adapt = new Adapt();
    adapt.add('camera', 'camera', HD);
    adapt.add('screen', 'screen', { width: 1_920, height: 1_080 });
    pass(adapt, { ...FREE, capacity: 1_000_000, queueAge: 150 }, 0, 500);
    const [camera, screen] = ['camera', 'screen'].map((id) => adapt.place(id)!.aim);
    expect(screen! / (camera! + screen!)).toBeCloseTo(0.8);
    adapt.remove('screen');
    expect(adapt.place('camera')!.aim).toBeGreaterThan(2 * camera!);
  });
});

describe('the ladder', () => {
  test('of a camera: frame rate, then size, then frame rate', () => {
    const steps = ladder(VGA, 'camera').map(({ width, height, fps }) => `${width}x${height}@${fps}`);
    expect(steps).toEqual(['640x360@30', '640x360@20', '480x270@20', '320x180@20', '320x180@10', '160x90@10']);
  });

  test('of a screen: it stutters before its text blurs', () => {
    const steps = ladder({ width: 2_560, height: 1_440 }, 'screen').map(({ width, fps }) => `${width}@${fps}`);
    expect(steps).toEqual(['1920@30', '1920@15', '1920@8', '1440@8', '960@8', '960@5', '480@5']);
  });

  test.each([VGA, HD, { width: 320, height: 180 }, { width: 360, height: 640 }])('of any size goes down, and each step leaves room to try the next better one', (size) => {
    const steps = ladder(size, 'camera');
    steps.forEach((step, i) => {
      const better = steps[i - 1];
      if (!better) return;
      expect(step.least).toBeLessThan(better.least);
      expect(step.most).toBeGreaterThan(1.3 * better.least);
    });
  });
});
