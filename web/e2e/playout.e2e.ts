// What a person sees and hears of what arrives: picture and sound together, without holes, and soon again after a stall.

import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { labels } from '../app/labels';
import { Command } from './harness/cli';
import { figure } from './harness/figures';
import { e2e, type House } from './harness/house';
import { held } from './harness/load';
import { flashingClip } from './harness/media';
import type { Person } from './harness/person';
import { installTiming, take } from './harness/timing';
import { elapse, until } from './harness/wait';

const ROOM = 'cinema';
const film = { name: 'film' };
const JITTER = { delayMs: 20, jitterMs: 30 };
const WINDOW_MS = 15_000;

async function timed(house: House, url: string, role: 'ann' | 'bob'): Promise<Person> {
  const person = await house.person(role, { bypassCSP: true });
  await person.context.addInitScript(installTiming);
  await person.join(url, ROOM);
  return person;
}

/** ms from each beep to the flash that is nearest, over one window. */
async function lipSync(person: Person): Promise<number[]> {
  await take(person.page);
  await elapse(WINDOW_MS);
  const { heard, flashes } = await take(person.page);
  return heard.flatMap(({ at }) => {
    const nearest = flashes.map((flash) => flash.at - at).sort((a, b) => Math.abs(a) - Math.abs(b))[0];
    return nearest !== undefined && Math.abs(nearest) < 500 ? [nearest] : [];
  });
}

e2e('sound and picture of a film stay together, also over a path with jitter', async ({ house }) => {
  const file = join(inject('folder'), 'flashing.webm');
  flashingClip(file, 60);
  const command = Command.start('stream', house.server.url, ROOM, '--name', film.name, '--loop', file);
  const proxy = await house.proxy(11);
  const bob = await timed(house, proxy.url, 'bob');
  await bob.press(labels.mute);
  const picture = bob.pictureOf(film);
  await picture.waitFor();
  await bob.page.evaluate(() => window.timing.hear());
  await picture.evaluate((canvas) => window.timing.watchFlashes(canvas as HTMLCanvasElement));
  await until('flashes are seen and beeps heard', async () => bob.page.evaluate(() => window.timing.flashes.length > 2 && window.timing.heard.length > 2), { ms: 10_000 });
  for (const [path, shape] of [['clean', undefined], ['30 ms jitter', JITTER]] as const) {
    if (shape) proxy.become(shape);
    await held(async () => {
      const apart = await lipSync(bob);
      console.log(JSON.stringify({ path, signed: apart.map(Math.round) }));
      const { n, p95 } = figure(`flash and beep, ${path}`, '|A-V|', apart.map(Math.abs), 'p95 <= 45');
      expect(n).toBeGreaterThanOrEqual((WINDOW_MS / 1000) * 0.8);
      return [{ what: `${path}: |A-V| p95, ms`, value: p95, most: 45 }];
    });
  }
  command.interrupt();
  await command.report(10_000);
}, 180_000);

e2e('a voice has no holes over a path with jitter', async ({ house }) => {
  const proxy = await house.proxy(12);
  proxy.become(JITTER);
  const ann = await timed(house, house.server.url, 'ann');
  const bob = await timed(house, proxy.url, 'bob');
  await bob.press(labels.mute);
  await bob.meets(ann);
  await bob.page.evaluate(() => window.timing.hear());
  await elapse(3_000); // the player has come to know the path
  await take(bob.page);
  await elapse(WINDOW_MS);
  const { levels } = await take(bob.page);
  const usual = [...levels].sort((a, b) => a - b)[Math.floor(levels.length / 2)]!;
  const holes = levels.filter((level) => level < usual / 2).length;
  figure('a tone over 30 ms jitter', 'share of 10 ms under half its level, %', [(100 * holes) / levels.length], '<= 0.5');
  expect(levels.length).toBeGreaterThan(WINDOW_MS / 20);
  expect(usual).toBeGreaterThan(0.01);
  expect((100 * holes) / levels.length).toBeLessThanOrEqual(0.5);
});

e2e('after a stall of two seconds sound is as soon as before', async ({ house }) => {
  const proxy = await house.proxy(13);
  const ann = await timed(house, house.server.url, 'ann');
  const bob = await timed(house, proxy.url, 'bob');
  await bob.meets(ann);
  const delay = async () => (await bob.page.evaluate(() => window.probe.stats())).tracks.find((track) => track.kind === 'audio')?.latency ?? Infinity;
  const typical = async () => {
    const seen: number[] = [];
    for (let i = 0; i < 10; i++) {
      seen.push(await delay());
      await elapse(100);
    }
    return seen.sort((a, b) => a - b)[5]!;
  };
  house.cuts = true; // a page may take so long a silence for a lost connection
  house.expectedErrors.push(/WebSocket connection to '.*' failed/);
  await held(async () => {
    await elapse(5_000);
    const before = await typical();
    proxy.silence();
    await elapse(2_000);
    proxy.restore();
    await elapse(4_000);
    const after = await typical();
    figure('a stall of 2 s', 'mouth to ear 5 s later, against before', [after - before], '<= 50');
    expect(before, 'ms').toBeGreaterThan(20);
    expect(before).toBeLessThan(1_000);
    return [{ what: 'later than before, ms', value: after - before, most: 50 }];
  });
}, 120_000);
