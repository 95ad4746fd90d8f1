// Bad networks, restarts and refusals. A witness without a browser writes down what others are told meanwhile.

import { expect } from 'vitest';
import { labels, states } from '../app/labels';
import { remedyLabels } from '../app/problems';
import { figure } from './harness/figures';
import { e2e, type House } from './harness/house';
import { ahead, AUDIBLE, SILENT, type Person } from './harness/person';
import type { Stamp } from './harness/probe';
import { seeded } from './harness/proxy';
import { elapse, until } from './harness/wait';

const ROOM = 'kitchen';
const noServer = /WebSocket connection to '.*' failed/;

/** Ann behind a bad network, Bob on a good one, in a call. */
async function callOverProxy(house: House, seed: number) {
  house.cuts = true;
  house.expectedErrors.push(noServer);
  const proxy = await house.proxy(seed);
  const [ann, bob] = [await house.person('ann'), await house.person('bob')];
  await Promise.all([ann.join(proxy.url, ROOM), bob.join(house.server.url, ROOM)]);
  await Promise.all([ann.meets(bob), bob.meets(ann)]);
  const observer = await house.observer(ROOM);
  const before = await house.server.members(ROOM);
  return { proxy, ann, bob, observer, watched: observer.watch(), id: before.get('Ann')!.id };
}

/** Waits until what one's camera takes after this moment is seen by the other, and the other is heard. */
async function mediaReturns(from: Person, to: Person, ms: number): Promise<void> {
  const cut = (await from.stamp(from.ownPicture)) as Stamp;
  await until(`${to.name} sees what ${from.name} shows now`, async () => {
    const seen = await to.stamp(to.pictureOf(from));
    const later = seen && ahead(seen, cut);
    return later !== undefined && later > 0 && later < 250;
  }, { ms });
  await to.hears(from, { ms });
}

e2e('a reset of the connection in mid-call is over within 2 s, and nobody is seen to leave', async ({ house }) => {
  const { proxy, ann, bob, observer, watched, id } = await callOverProxy(house, 1);
  const start = performance.now();
  proxy.reset();
  await Promise.all([mediaReturns(ann, bob, 3_000), mediaReturns(bob, ann, 3_000)]);
  const took = performance.now() - start;
  figure('tcp reset in mid-call', 'media back', [took], '<= 2000');
  expect(took).toBeLessThan(2_000);
  expect(watched()).toEqual([]);
  await until('the witness was told of the way back', () => observer.states().at(-1) === 'online');
  expect((await house.server.members(ROOM)).get('Ann')).toMatchObject({ id, state: 'online' });
  expect((await house.server.metrics()).sum('landline_resumes_total')).toBe(1);
});

e2e('ten resets in a row leave the same member in the room', async ({ house }) => {
  const { proxy, ann, bob, watched, id } = await callOverProxy(house, 10);
  const random = seeded(10);
  for (let i = 0; i < 10; i++) {
    proxy.reset();
    await elapse(60 + 700 * random());
  }
  proxy.reset();
  const start = performance.now();
  await Promise.all([mediaReturns(ann, bob, 5_000), mediaReturns(bob, ann, 5_000)]);
  figure('ten tcp resets', 'media back after the last', [performance.now() - start], '<= 2000');
  expect(performance.now() - start).toBeLessThan(2_000);
  expect(watched()).toEqual([]);
  expect((await house.server.members(ROOM)).get('Ann')!.id).toBe(id);
});

e2e('after 5 s of silence on the network sound is back within 2 s', async ({ house }) => {
  const { proxy, ann, bob, watched, id } = await callOverProxy(house, 5);
  proxy.silence();
  await ann.page.getByText('Connection lost').waitFor({ timeout: 5_000 });
  await elapse(5_000 - 1);
  expect((await bob.hear())!.rms, 'what Bob hears of Ann during the silence').toBeLessThan(SILENT);
  proxy.restore();
  const start = performance.now();
  const back = async (one: Person, other: Person) => {
    await one.hears(other, { ms: 5_000, every: 20 });
    return performance.now() - start;
  };
  const took = await Promise.all([back(bob, ann), back(ann, bob)]);
  figure('silent cut of 5 s', 'audio back after the path', took, '<= 2000');
  expect(Math.max(...took)).toBeLessThan(2_000);
  await Promise.all([mediaReturns(ann, bob, 5_000), mediaReturns(bob, ann, 5_000)]);
  await ann.page.getByText('Connection lost').waitFor({ state: 'detached', timeout: 3_000 });
  expect(watched()).toEqual([]);
  expect((await house.server.members(ROOM)).get('Ann')!.id).toBe(id);
});

// So it is, too, when a busy machine gives the page's worker no time for its goodbye before the page is torn down.
e2e('a page that goes elsewhere leaves at once, also when its socket gets no word out', async ({ house }) => {
  const { proxy, ann, bob, watched, id } = await callOverProxy(house, 8);
  proxy.hang();
  await ann.page.goto(proxy.url);
  await bob.tile('Ann').waitFor({ state: 'detached', timeout: 2_000 });
  expect(watched().at(-1)).toMatchObject({ type: 'memberLeft', id, reason: 'bye' });
});

e2e('others see who is reconnecting', async ({ house }) => {
  const { proxy, ann, bob, watched } = await callOverProxy(house, 7);
  proxy.silence();
  proxy.reset();
  await bob.tile('Ann').getByText(states.reconnecting).waitFor({ timeout: 5_000 });
  await ann.page.getByText('Connection lost').waitFor({ timeout: 5_000 });
  proxy.restore();
  await bob.tile('Ann').getByText(states.reconnecting).waitFor({ state: 'detached', timeout: 5_000 });
  await mediaReturns(ann, bob, 5_000);
  expect(watched()).toEqual([]);
});

e2e('delay and jitter of the network leave the sound whole', async ({ house }) => {
  const { proxy, ann, bob } = await callOverProxy(house, 3);
  proxy.become({ delayMs: 40, jitterMs: 30, up: 250_000, down: 250_000 });
  // The player needs a moment to see how uneven the path has become.
  await elapse(3_000);
  const levels: number[] = [];
  for (let i = 0; i < 30; i++) {
    levels.push((await bob.hear())!.rms);
    await elapse(100);
  }
  const heard = levels.filter((rms) => rms > AUDIBLE).length;
  expect(heard, `levels ${levels.map((rms) => rms.toFixed(3)).join(' ')}`).toBeGreaterThanOrEqual(28);
  await mediaReturns(ann, bob, 5_000);
});

e2e('while the server is away the page says so, and can be left', async ({ house }) => {
  house.expectedErrors.push(noServer);
  const ann = await house.person('ann');
  const bob = await house.person('bob');
  await ann.join(house.server.url, ROOM);
  await bob.open(house.server.url, ROOM);
  expect(await house.server.stop(), 'exit code of the server').toBe(0);
  await ann.page.getByRole('status').getByText('Connection lost').waitFor({ timeout: 5_000 });
  await bob.press(labels.join);
  await bob.heading('The server does not answer').waitFor({ timeout: 20_000 });
  await bob.button(remedyLabels.again).waitFor();
  await ann.press(labels.leave);
  await ann.heading('You left the call').waitFor({ timeout: 3_000 });
});

e2e('without camera and microphone one can still join, see and hear', async ({ house }) => {
  const ann = await house.person('ann');
  const bob = await house.person('bob', { asks: true });
  // Granting something else refuses camera and microphone.
  await bob.context.grantPermissions(['clipboard-write']);
  await ann.join(house.server.url, ROOM);
  await bob.open(house.server.url, ROOM);
  await bob.page.getByText('Camera and microphone are blocked').waitFor({ timeout: 5_000 });
  await bob.press(labels.join);
  await bob.meets(ann);
  await ann.tile('Bob').getByText(states.noSound, { exact: true }).waitFor({ state: 'attached', timeout: 3_000 });
  expect((await house.server.members(ROOM)).get('Bob')!.tracks).toEqual([]);
});
