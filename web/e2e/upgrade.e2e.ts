// What is received moves from the WebSocket to WebRTC and back while a call is on, without a gap: the relay's byte counters prove the
// path, the stamps of the pictures and the tone the rest.

import { expect } from 'vitest';
import { watch, watched } from './harness/frames';
import { faulty, plain, type House } from './harness/house';
import type { Person } from './harness/person';
import { labels } from '../app/labels';
import { watchLoad } from './harness/load';
import { elapse, until } from './harness/wait';

const MOVED_MS = 15_000;

/** Without a new picture, ms, while the machine is calm. */
const GAP_MS = 300;
/** Threads that a picture passes from the relay to the screen: each may have to wait for a processor as long as the harness's own work did. */
const THREADS = 10;

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

/** Over a second, what the relay sends by the path that should carry nothing. */
async function stays(house: House, idle: 'ws' | 'rtc', other: 'ws' | 'rtc'): Promise<void> {
  await until(`nothing goes by ${idle}`, async () => {
    const before = await sent(house);
    await elapse(1_000);
    const after = await sent(house);
    const [gone, went] = [after[idle] - before[idle], after[other] - before[other]];
    if (gone > 0 || went < 10_000) throw new Error(`${gone} bytes by ${idle}, ${went} by ${other}`);
    return true;
  }, { ms: 5_000 });
}

async function inCall(house: House): Promise<readonly [Person, Person]> {
  const people = await house.call('kitchen', ['ann', 'bob'], { transport: 'auto' });
  const [ann, bob] = people;
  await ann.hears(bob);
  await Promise.all([watch(ann.pictureOf(bob)), watch(bob.pictureOf(ann))]);
  return people;
}

faulty('a call moves to WebRTC without a gap, back when UDP is cut, and to WebRTC again later', async ({ house }) => {
  const [ann, bob] = await inCall(house);
  const load = watchLoad();
  await comeBy('webrtc', MOVED_MS, ann, bob);
  await stays(house, 'ws', 'rtc');
  const moved = await Promise.all([watched(ann.page), watched(bob.page)]);
  console.log(JSON.stringify({ scenario: 'to WebRTC', moved }));
  const { late } = await load();
  for (const seen of moved) {
    expect.soft(seen.longest, 'ms without a new picture').toBeLessThan(GAP_MS + THREADS * late.p95);
    expect.soft(seen.silent, 'ms without sound').toBeLessThan(GAP_MS + THREADS * late.p95);
    expect.soft(seen.blank, 'blank pictures').toBe(0);
    expect.soft(seen.back, 'pictures that went back').toBe(0);
  }
  await Promise.all([ann.hears(bob), bob.hears(ann)]);

  await house.server.cutUDP(true);
  const cutAt = performance.now();
  await comeBy('websocket', 5_000, ann, bob);
  const backAt = performance.now();
  await Promise.all([ann.meets(bob), bob.meets(ann)]);
  const cut = await Promise.all([watched(ann.page), watched(bob.page)]);
  console.log(JSON.stringify({ scenario: 'UDP cut', noticedMs: Math.round(backAt - cutAt), cut }));
  for (const seen of cut) {
    expect.soft(seen.longest, 'ms without a new picture').toBeLessThan(2_000);
    expect.soft(seen.silent, 'ms without sound').toBeLessThan(2_000);
    expect.soft(seen.blank, 'blank pictures').toBe(0);
  }
  await stays(house, 'rtc', 'ws');

  await house.server.cutUDP(false);
  await comeBy('webrtc', 30_000, ann, bob);
  expect(performance.now() - backAt, 'ms until it is tried again').toBeGreaterThan(10_000);
  await stays(house, 'ws', 'rtc');
  await Promise.all([ann.meets(bob), bob.meets(ann)]);
}, 120_000);

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
