import { expect, test } from 'vitest';
import { KIND_PADDING } from '../wire/wire';
import { Simulation } from './adapt-sim';
import { Padding } from './padding';
import type { Standing } from './padding';

const MBIT = 1e6 / 8;
const VGA = { width: 640, height: 360 };
const LOWERED: Standing = { lowered: true, calm: 5_000, waiting: false, inFlight: 0, window: 20_000, capacity: 50_000 };

test('is sent ever more rarely, and soon again after trouble', () => {
  const padding = new Padding();
  const times: number[] = [];
  for (let now = 0; now < 60_000; now += 100) {
    const messages = padding.due({ ...LOWERED, calm: now < 40_000 ? 5_000 : now - 40_000 }, now);
    if (messages.length > 0) times.push(now);
    for (const message of messages) expect([message.length, message[0]]).toEqual([1_200, KIND_PADDING]);
  }
  expect(times).toEqual([0, 4_000, 12_000, 22_000, 32_000, 42_000, 46_000, 54_000]);
});

test.each([
  ['where nothing is lowered', { lowered: false }],
  ['soon after trouble', { calm: 1_900 }],
  ['where something waits', { waiting: true }],
  ['where much is under way', { inFlight: 6_000 }],
  ['on a link so thin that sound would wait', { capacity: 15_000 }],
])('is not sent %s', (_, standing) => {
  expect(new Padding().due({ ...LOWERED, ...standing }, 0)).toEqual([]);
});

test.each([1, 2, 3])('the large picture is back soon each time the link breaks down, also where key frames are small', (seed) => {
  const every = 30_000;
  const up = 15_000;
  const sim = new Simulation((ms) => (ms % every > 10_000 && ms % every < up ? 0.25 : 3) * MBIT, 20, VGA, seed, undefined, undefined, 2, 1.3);
  sim.run(4 * every);
  const large = (at: number): boolean => sim.samples[at / 100]!.layers[1]!;
  for (let period = 0; period < 4; period++) {
    expect(large(period * every + up - 500), `in the middle of break ${period}`).toBe(false);
    expect(large(period * every + up + 6_000), `6 s after break ${period}`).toBe(true);
  }
}, 20_000);

test.each([0.25, 0.35, 0.5, 0.8])('at %f Mbit/s the layers settle, with at most 3 changes in 5 minutes', (rate) => {
  const sim = new Simulation(() => rate * MBIT, 30, VGA, 3, undefined, undefined, 2, 1.3);
  sim.run(300_000);
  const changes = sim.samples.filter(({ layers }, i) => i > 0 && `${layers}` !== `${sim.samples[i - 1]!.layers}`);
  expect(changes.length, JSON.stringify(changes)).toBeLessThanOrEqual(3);
}, 20_000);
