// How late pictures and sound arrive, from page to page over the WebSocket, 640x360 at 30 frames a second and voice.
// LANDLINE_LONG=1 holds them to the goals, in windows of a minute in which the machine had something to spare.
// Otherwise three windows of 15 s are held to the same where the machine was calm, and else to what one as busy as this was allows.

import { cpus } from 'node:os';
import { expect } from 'vitest';
import { figure, percentile } from './harness/figures';
import { e2e, type House } from './harness/house';
import { hush } from './harness/hush';
import { type Load, watchLoad } from './harness/load';
import type { Person } from './harness/person';
import { delays, installTiming, take } from './harness/timing';
import { elapse } from './harness/wait';

const SCENARIO = 'two pages, 640x360 at 30 fps and voice';
const PICTURE_GOAL = 'p50 <= 120, p95 <= 200';
const SOUND_GOAL = 'p50 <= 150, p95 <= 250';
const LONG = process.env['LANDLINE_LONG'] === '1';
const WINDOW_MS = LONG ? 60_000 : 15_000;
/** How much the windows after the first may be worse than it, ms: what two windows differ by without a cause. */
const SAME_MS = 25;

/**
 * A window in which less of the machine was idle, or more was given to other machines, tells of those. The short windows come when the machine
 * has just done other things: what hush saves there, 0.04, was no calm before it.
 */
const CALM = LONG ? 0.1 : 0.14;
const STOLEN = 0.03;
const isCalm = ({ idle, stolen }: Load): boolean => idle >= CALM && stolen <= STOLEN;
const MOST_WINDOWS = LONG ? 6 : 3;
/** One bad moment of the machine raises a short window, and the target delay for what follows; what grows with the call is in both that follow. */
const WANTED = LONG ? 2 : 3;
/** Threads that a picture or a sound passes from page to page: each may have to wait for a processor as long as the harness's own work did. */
const THREADS = 10;

interface Delays {
  pictures: number[];
  sounds: number[];
  load: Load;
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
    await person.pictureOf(other).evaluate((canvas) => window.timing.glanceAtOther(canvas as HTMLCanvasElement));
    await person.page.evaluate(() => window.timing.listen());
    await hush(person.page);
  }));
  return people;
}

/** Both directions over one window. */
async function measure(people: readonly Person[]): Promise<Delays> {
  const look = () => Promise.all(people.map(({ page }) => take(page)));
  await look();
  const load = watchLoad();
  await elapse(WINDOW_MS);
  const [ann, bob] = await look();
  const pictures = [[ann!, bob!], [bob!, ann!]].flatMap(([from, to]) => delays(from!.own, to!.other, (a, b) => a === b));
  const sounds = [[ann!, bob!], [bob!, ann!]].flatMap(([from, to]) => delays(from!.made, to!.heard, (a, b) => Math.abs(a - b) < 120));
  return { pictures, sounds, load: await load() };
}

/** The first windows, or, held to the goals, the first calm ones. */
async function windowsOf(people: readonly Person[]): Promise<Delays[]> {
  const good: Delays[] = [];
  for (let i = 1; i <= MOST_WINDOWS; i++) {
    const window = await measure(people);
    console.log(JSON.stringify({ scenario: SCENARIO, window: i, cores: cpus().length, ...window.load }));
    if (!LONG || isCalm(window.load)) good.push(window);
    if (good.length === WANTED) return good;
  }
  throw new Error(`too noisy: less than ${CALM} of the machine was idle, or over ${STOLEN} of it given to others; measure again when nothing else runs`);
}

e2e('pictures and sound arrive soon, and no later as the call goes on', async ({ house }) => {
  const windows = await windowsOf(await timedCall(house));
  windows.forEach(({ pictures, sounds }, i) => {
    figure(`${SCENARIO}, window ${i + 1}`, 'picture latency', pictures, PICTURE_GOAL);
    figure(`${SCENARIO}, window ${i + 1}`, 'mouth to ear', sounds, SOUND_GOAL);
  });
  const pictures = figure(SCENARIO, 'picture latency', windows.flatMap((window) => window.pictures), PICTURE_GOAL);
  const sounds = figure(SCENARIO, 'mouth to ear', windows.flatMap((window) => window.sounds), SOUND_GOAL);
  const calm = windows.every(({ load }) => isCalm(load));
  const more = calm ? 0 : THREADS * Math.max(...windows.map(({ load }) => load.late.p95));
  // Of the 30 frames and 2.5 beeps a second and direction, seven frames (see glanceAtOther) and most beeps are seen at both ends.
  const share = calm ? 1 : 0.25;
  const seconds = (2 * windows.length * WINDOW_MS) / 1000;
  expect(pictures.n).toBeGreaterThan(seconds * 3.5 * share);
  expect(sounds.n).toBeGreaterThan(seconds * 1.5 * share);
  expect.soft(pictures.p50).toBeLessThanOrEqual(120 + more);
  expect.soft(pictures.p95).toBeLessThanOrEqual(200 + more);
  expect.soft(sounds.p50).toBeLessThanOrEqual(150 + more);
  expect.soft(sounds.p95).toBeLessThanOrEqual(250 + more);
  const [first, ...later] = windows;
  const least = (of: (window: Delays) => readonly number[]) => Math.min(...later.map((window) => percentile(of(window), 0.5)));
  expect.soft(least((window) => window.pictures)).toBeLessThan(percentile(first!.pictures, 0.5) + SAME_MS + more);
  expect.soft(least((window) => window.sounds)).toBeLessThan(percentile(first!.sounds, 0.5) + SAME_MS + more);
}, 60_000 + MOST_WINDOWS * WINDOW_MS);
