// What is received moves from the WebSocket to WebRTC and back while a call is on, without a gap: the relay's byte counters prove the
// path, the stamps of the pictures and the tone the rest.

import { expect } from 'vitest';
import { watch, watched, type Watched } from './harness/frames';
import { percentile } from './harness/figures';
import { heard, listen, type Tone } from './harness/tone';
import { faulty, plain, type House } from './harness/house';
import type { Person } from './harness/person';
import { labels } from '../app/labels';
import { held, type Goal } from './harness/load';
import { elapse, until } from './harness/wait';

/** From a PeerConnection to nothing over the WebSocket, ms: a publisher that does not keep up by RTP for 20 s is tried again after a minute. */
const MOVED_MS = 22_000;
const MOVED_IN_THE_END_MS = 120_000;

/** A path that was lost is tried again some 12 s later. */
const RETRY_MS = 10_000;

/** Without a new picture, and without sound, ms. */
const GAP_MS = 300;
/** The same where UDP is cut. Of many cuts 95 % are to be silent for less than 1 s; this is one. */
const CUT_GAP_MS = { longest: 2_000, silent: 1_200 };

/** Media bytes that the relay sent by each path. */
async function sent(house: House): Promise<{ ws: number; rtc: number }> {
  const metrics = await house.server.metrics();
  const of = (path: string): number => metrics.sum('landline_media_bytes_out_total', `path="${path}"`);
  return { ws: of('websocket'), rtc: of('webrtc') };
}

/** Waits until every received track of these pages comes by one path. */
async function comeBy(path: 'webrtc' | 'websocket', ms: number, ...people: readonly Person[]): Promise<void> {
  await until(`all comes by ${path}`, async () => {
    const all = await Promise.all(people.map(({ page }) => page.evaluate(() => window.probe.stats())));
    const tracks = all.flatMap((stats) => stats.tracks);
    const there = tracks.length > 0 && tracks.every(({ transport }) => transport === path);
    if (!there) throw new Error(JSON.stringify(all.map(({ transportWhy, tracks }) => [transportWhy, tracks.map(({ transport, rate }) => [transport, rate])])));
    return true;
  }, { ms });
}

/** Waits until the relay has sent nothing by one path for a second, and media by the other. */
async function stays(house: House, idle: 'ws' | 'rtc', other: 'ws' | 'rtc', ms: number): Promise<void> {
  await until(`nothing goes by ${idle}`, async () => {
    const before = await sent(house);
    await elapse(1_000);
    const after = await sent(house);
    const [gone, went] = [after[idle] - before[idle], after[other] - before[other]];
    if (gone > 0 || went < 10_000) throw new Error(`${gone} bytes by ${idle}, ${went} by ${other}`);
    return true;
  }, { ms });
}

async function inCall(house: House): Promise<readonly [Person, Person]> {
  const people = await house.call('kitchen', ['ann', 'bob'], { transport: 'auto' });
  const [ann, bob] = people;
  await ann.hears(bob);
  await Promise.all([watch(ann.pictureOf(bob)), watch(bob.pictureOf(ann))]);
  return people;
}

/** What is asked of what two people saw and heard meanwhile. */
function seamless(seen: Watched[], most: { longest: number; silent: number }): Goal[] {
  for (const { blank, back } of seen) expect.soft([blank, back], 'pictures that were blank, or went back').toEqual([0, 0]);
  return seen.flatMap(({ longest, silent }) => [
    { what: 'ms without a new picture', value: longest, most: most.longest },
    { what: 'ms without sound', value: silent, most: most.silent },
  ]);
}

faulty('a call moves to WebRTC without a gap, back when UDP is cut, and to WebRTC again later', async ({ house }) => {
  const people = await inCall(house);
  const [ann, bob] = people;
  const seen = (): Promise<Watched[]> => Promise.all(people.map(({ page }) => watched(page)));

  const moves = async (): Promise<Goal[]> => {
    await until('there is a PeerConnection', async () => {
      const all = await Promise.all(people.map(({ page }) => page.evaluate(() => window.probe.stats())));
      return all.every(({ transportWhy }) => transportWhy === undefined);
    }, { ms: MOVED_IN_THE_END_MS });
    console.log(JSON.stringify({ scenario: 'while a PeerConnection is made', seen: await seen() }));
    const began = performance.now();
    await stays(house, 'ws', 'rtc', MOVED_IN_THE_END_MS);
    await comeBy('webrtc', 1_000, ann, bob);
    const took = performance.now() - began;
    const moved = await seen();
    console.log(JSON.stringify({ scenario: 'to WebRTC', tookMs: Math.round(took), moved }));
    await Promise.all([ann.hears(bob), bob.hears(ann)]);
    return [...seamless(moved, { longest: GAP_MS, silent: GAP_MS }), { what: 'ms until all comes by WebRTC', value: took, most: MOVED_MS }];
  };
  const comesBack = async (): Promise<Goal[]> => {
    await house.server.cutUDP(true);
    const cutAt = performance.now();
    await comeBy('websocket', 5_000, ann, bob);
    const noticedMs = Math.round(performance.now() - cutAt);
    await Promise.all([ann.meets(bob), bob.meets(ann)]);
    const cut = await seen();
    console.log(JSON.stringify({ scenario: 'UDP cut', noticedMs, cut }));
    await stays(house, 'rtc', 'ws', 5_000);
    return seamless(cut, CUT_GAP_MS);
  };

  let first = true;
  await held(async () => {
    if (!first) {
      await comesBack();
      await house.server.cutUDP(false);
    }
    first = false;
    return moves();
  });
  await held(async () => {
    await house.server.cutUDP(false);
    await stays(house, 'ws', 'rtc', MOVED_IN_THE_END_MS); // at once where it is there already
    await seen();
    return comesBack();
  });

  await house.server.cutUDP(false);
  const began = performance.now();
  await stays(house, 'ws', 'rtc', MOVED_IN_THE_END_MS);
  expect(performance.now() - began, 'ms until it is tried again').toBeGreaterThan(RETRY_MS / 2);
  await Promise.all([ann.meets(bob), bob.meets(ann)]);
}, 600_000);

const LONG = process.env['LANDLINE_LONG'] !== undefined;
/** Each way. */
const SWITCHES = 20;
/** Sound that is heard twice, and pictures that rest, at a change that nothing but a test caused, ms. */
const CHANGE_GOALS = { twice: 40, longest: 200 };

/** What was seen and heard over one change, by one page. */
type Change = Watched & Tone & { tookMs: number };

/** Has all change over, and waits until the relay's counters say so; returns how long it took, ms. */
async function change(house: House, to: 'webrtc' | 'websocket', people: readonly Person[]): Promise<number> {
  const began = performance.now();
  await house.server.force('kitchen', to);
  await comeBy(to, MOVED_IN_THE_END_MS, ...people);
  const took = performance.now() - began;
  await (to === 'webrtc' ? stays(house, 'ws', 'rtc', 5_000) : stays(house, 'rtc', 'ws', 5_000));
  return took;
}

if (LONG) faulty('20 changes each way are not noticed', async ({ house }) => {
  const people = await house.call('kitchen', ['ann', 'bob'], { transport: 'auto', sound: 'timed', bypassCSP: true });
  const [ann, bob] = people;
  await Promise.all([watch(ann.pictureOf(bob)), watch(bob.pictureOf(ann)), ...people.map(({ page }) => listen(page))]);
  await stays(house, 'ws', 'rtc', MOVED_IN_THE_END_MS);
  const measure = async (): Promise<Goal[]> => {
    await Promise.all(people.flatMap(({ page }) => [watched(page), heard(page)]));
    const all: Change[] = [];
    for (let i = 0; i < 2 * SWITCHES; i++) {
      const tookMs = await change(house, i % 2 ? 'webrtc' : 'websocket', people);
      all.push(...(await Promise.all(people.map(async ({ page }) => ({ tookMs, ...(await watched(page)), ...(await heard(page)) })))));
    }
    const most = (of: (change: Change) => number): number => Math.round(Math.max(...all.map(of)));
    const worst = { longest: most((c) => c.longest), silent: most((c) => c.silent), faint: most((c) => c.faint), twice: most((c) => c.twice), missing: most((c) => c.missing) };
    const usual = (of: (change: Change) => number): number => Math.round(percentile(all.map(of), 0.5));
    const median = { tookMs: usual((c) => c.tookMs), longest: usual((c) => c.longest), faint: usual((c) => c.faint), twice: usual((c) => c.twice), missing: usual((c) => c.missing) };
    const [blank, back, asleep] = [most((c) => c.blank), most((c) => c.back), most((c) => c.asleep)];
    console.log(JSON.stringify({ scenario: `${SWITCHES} changes each way`, n: all.length, blank, back, asleep, worst, median }));
    expect([blank, back], 'pictures that were blank, or went back').toEqual([0, 0]);
    return [
      { what: 'ms without a new picture', value: worst.longest, most: CHANGE_GOALS.longest },
      { what: 'ms of sound under half of its level', value: worst.faint, most: 0 },
      { what: 'ms of sound heard twice', value: worst.twice, most: CHANGE_GOALS.twice },
    ];
  };
  await held(measure);
}, 900_000);

faulty('where UDP is blocked the call stays on the WebSocket, and says why', async ({ house }) => {
  await house.server.cutUDP(true);
  const [ann, bob] = await house.call('kitchen', ['ann', 'bob'], { transport: 'auto' });
  await ann.press(labels.connection);
  await ann.page.getByText('WebSocket: UDP is blocked here').waitFor({ timeout: 15_000 });
  await comeBy('websocket', 1_000, ann, bob);
  expect((await sent(house)).rtc).toBe(0);
}, 60_000);

plain('a server without WebRTC is said to have none', async ({ house }) => {
  const [ann, bob] = await house.call('kitchen', ['ann', 'bob'], { transport: 'auto' });
  await ann.press(labels.connection);
  await ann.page.getByText('WebSocket: this server has no WebRTC').waitFor({ timeout: 5_000 });
  await comeBy('websocket', 1_000, ann, bob);
});
