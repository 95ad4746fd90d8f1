// How late pictures and sound arrive, from page to page over the WebSocket, 640x360 at 30 frames a second and voice.
// LANDLINE_LONG=1 measures windows of a minute in place of 20 s.

import { cpus } from 'node:os';
import { expect } from 'vitest';
import { figure, percentile } from './harness/figures';
import { e2e, type House } from './harness/house';
import { watchIdle } from './harness/load';
import type { Person } from './harness/person';
import { delays, installTiming, take } from './harness/timing';
import { elapse } from './harness/wait';

const SCENARIO = 'two pages, 640x360 at 30 fps and voice';
const PICTURE_GOAL = 'p50 <= 120, p95 <= 200';
const SOUND_GOAL = 'p50 <= 150, p95 <= 250';
const WINDOW_MS = process.env['LANDLINE_LONG'] ? 60_000 : 20_000;
/** How much the second window may be worse than the first, ms: what two windows differ by without a cause. */
const SAME_MS = 25;

/** A window in which less of the machine was idle does not count while there may be calmer ones: it tells of other work. */
const CALM = 0.12;
/** Where no window was calm the figures tell of the machine: all that is held then is that delays are bounded, by so many times the goals. */
const STARVED = 4;
const WINDOWS = 6;

interface Delays {
  pictures: number[];
  sounds: number[];
  /** Share of the machine that was idle, 0 to 1. */
  idle: number;
}

async function timedCall(house: House): Promise<Person[]> {
  const options = { sound: 'beeps', bypassCSP: true } as const;
  const people = [await house.person('ann', options), await house.person('bob', options)];
  await Promise.all(people.map(async (person, i) => {
    const other = people[1 - i]!;
    await person.context.addInitScript(installTiming);
    await person.join(house.server.url, 'kitchen');
    await person.sees(other);
    await person.ownPicture.evaluate((video) => window.timing.watchOwn(video as HTMLVideoElement));
    await person.pictureOf(other).evaluate((canvas) => window.timing.watchOther(canvas as HTMLCanvasElement));
    await person.page.evaluate(() => window.timing.listen());
  }));
  return people;
}

/** Both directions over one window. */
async function measure(people: readonly Person[]): Promise<Delays> {
  const look = () => Promise.all(people.map(({ page }) => take(page)));
  await look();
  const idle = watchIdle();
  await elapse(WINDOW_MS);
  const [ann, bob] = await look();
  const pictures = [[ann!, bob!], [bob!, ann!]].flatMap(([from, to]) => delays(from!.own, to!.other, (a, b) => a === b));
  const sounds = [[ann!, bob!], [bob!, ann!]].flatMap(([from, to]) => delays(from!.made, to!.heard, (a, b) => Math.abs(a - b) < 120));
  return { pictures, sounds, idle: idle() };
}

/** The first two calm windows, or the two calmest of all, in their order. */
async function calmest(people: readonly Person[]): Promise<[Delays, Delays]> {
  const windows: Delays[] = [];
  while (windows.length < WINDOWS && windows.filter(({ idle }) => idle >= CALM).length < 2) {
    windows.push(await measure(people));
    console.log(JSON.stringify({ scenario: SCENARIO, window: windows.length, cores: cpus().length, idle: windows.at(-1)!.idle.toFixed(2) }));
  }
  const [one, other] = [...windows].sort((a, b) => b.idle - a.idle);
  return windows.indexOf(one!) < windows.indexOf(other!) ? [one!, other!] : [other!, one!];
}

e2e('pictures and sound arrive soon, and no later as the call goes on', async ({ house }) => {
  const [first, later] = await calmest(await timedCall(house));
  for (const [name, { pictures, sounds }] of [['first', first], ['second', later]] as const) {
    figure(`${SCENARIO}, ${name} window`, 'picture latency', pictures, PICTURE_GOAL);
    figure(`${SCENARIO}, ${name} window`, 'mouth to ear', sounds, SOUND_GOAL);
  }
  const pictures = figure(SCENARIO, 'picture latency', [...first.pictures, ...later.pictures], PICTURE_GOAL);
  const sounds = figure(SCENARIO, 'mouth to ear', [...first.sounds, ...later.sounds], SOUND_GOAL);
  const calm = Math.min(first.idle, later.idle) >= CALM;
  if (!calm) console.log(`too noisy: the machine had nothing to spare in any two windows; held to ${STARVED} times the goals`);
  const times = calm ? 1 : STARVED;
  // Of 30 frames and 2.5 beeps a second and direction most were seen at both ends.
  expect(pictures.n).toBeGreaterThan((2 * 2 * WINDOW_MS * 15) / 1000 / times);
  expect(sounds.n).toBeGreaterThan((2 * 2 * WINDOW_MS * 1.5) / 1000 / times);
  expect.soft(pictures.p50).toBeLessThanOrEqual(120 * times);
  expect.soft(pictures.p95).toBeLessThanOrEqual(200 * times);
  expect.soft(sounds.p50).toBeLessThanOrEqual(150 * times);
  expect.soft(sounds.p95).toBeLessThanOrEqual(250 * times);
  expect.soft(percentile(later.pictures, 0.5)).toBeLessThan(percentile(first.pictures, 0.5) + SAME_MS * times);
  expect.soft(percentile(later.sounds, 0.5)).toBeLessThan(percentile(first.sounds, 0.5) + SAME_MS * times);
}, 60_000 + WINDOWS * WINDOW_MS);
