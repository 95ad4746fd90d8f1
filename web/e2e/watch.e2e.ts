// Recordings that are watched alone, on a page of their own.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, expect, inject } from 'vitest';
import { labels, videoOf } from '../app/labels';
import { figure, percentile } from './harness/figures';
import { keyedRecording, KEY, recording, type House } from './harness/house';
import { inspect, SIZES } from './harness/inspect';
import { held } from './harness/load';
import { cast, stampedClip } from './harness/media';
import { ahead, Person } from './harness/person';
import { install, type Stamp } from './harness/probe';
import { mint } from './harness/token';
import { elapse, until } from './harness/wait';

const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'landline-watch-')));
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const noServer = /WebSocket connection to '.*' failed/;
const FPS = 30;
/** So many bytes ahead of the reader the relay sends. */
const AHEAD = 786_432;
const FILM = { id: 2, seconds: 12, hz: cast.bob.hz, keyEvery: 4, kbps: 4_000 };

const slider = (page: Page) => page.getByRole('slider', { name: labels.position });
const film = (page: Page) => page.getByRole('img', { name: videoOf('Film') });

/** Adds a file to the recordings. */
async function add(house: House, path: string): Promise<{ id: string; bytes: number }> {
  const response = await fetch(`${house.server.url}/api/recordings/upload?room=cinema&title=Film`, { method: 'POST', body: readFileSync(path) });
  expect(response.status).toBe(201);
  return (await response.json()) as { id: string; bytes: number };
}

const bytesOut = async (house: House): Promise<number> => (await house.server.metrics()).sum('landline_object_bytes_out_total');

/** Runs in the page: says when it shows its first picture, and that it waits to be clicked. Who asks a page for that makes it one that was clicked. */
function announce(): void {
  const said = new Set<string>();
  const say = (what: string): void => void (said.has(what) || (said.add(what), console.log(`${what}: ${performance.now()}`)));
  const look = (): void => {
    const canvas = document.querySelector<HTMLCanvasElement>('canvas[aria-label^="Video of"]');
    if (canvas && window.probe.look(canvas) !== 0) say('first picture');
    if (document.querySelector('.watch-start')) say('waits for a click');
    requestAnimationFrame(look);
  };
  look();
}

const said = async (page: Page, what: string): Promise<number> => {
  const message = await page.waitForEvent('console', { predicate: (m) => m.text().startsWith(what), timeout: 10_000 });
  return Number(message.text().slice(what.length + 2));
};

/** ms from going to the page of a recording to its first picture, with nothing in the browser's cache. */
async function openCold(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  await context.addInitScript(install);
  await context.addInitScript(announce);
  const page = await context.newPage();
  const [took] = await Promise.all([said(page, 'first picture'), page.goto(url)]);
  await page.goto('about:blank');
  await context.close();
  return took;
}

/** Waits until nothing more comes. */
async function settled(house: House): Promise<number> {
  let last = -1;
  return until('nothing comes any more', async () => {
    const now = await bytesOut(house);
    const still = now === last;
    last = now;
    return still ? now : undefined;
  }, { every: 300 });
}

async function goTo(person: Person, frame: number): Promise<void> {
  await slider(person.page).fill(String(Math.round(((frame + 0.7) * 1000) / FPS)));
  await until(`frame ${frame} is shown`, async () => (await person.stamp(film(person.page)))?.frame === frame, { ms: 5_000, every: 10 });
}

/** Position over time: how fast it goes, as the slider tells. */
async function speedOf(page: Page, ms: number): Promise<number> {
  const look = () => slider(page).evaluate((input: HTMLInputElement) => [performance.now(), Number(input.value)] as const);
  const [from, at] = await look();
  await elapse(ms);
  const [to, then] = await look();
  return (then - at) / (to - from);
}

recording(folders[0]!)('a film is watched alone: soon, at any place and speed, no further than it is watched, and over a cut', async ({ house }) => {
  house.cuts = true;
  house.expectedErrors.push(noServer);
  const path = join(inject('folder'), 'film.webm');
  stampedClip(path, FILM);
  const { id, bytes } = await add(house, path);
  const bob = await house.person('bob');
  const { page } = bob;

  await held(async () => {
    const took: number[] = [];
    for (let i = 0; i < 3; i++) took.push(await openCold(bob.context.browser()!, `${house.server.url}/recordings/${id}`));
    figure('a recording in a new page', 'time to first picture', took, 'p50 <= 500');
    return [{ what: 'time to first picture', value: percentile(took, 0.5), most: 500 }];
  });

  const before = await bytesOut(house);
  const proxy = await house.proxy(1);
  await bob.context.addInitScript(announce);
  await Promise.all([said(page, 'waits for a click'), page.goto(`${proxy.url}/recordings/${id}`)]);
  expect(await bob.stamp(film(page))).toEqual({ id: FILM.id, frame: 0 });
  expect((await settled(house)) - before, 'who has not begun has got no more than the beginning').toBeLessThan(2 * AHEAD);
  expect(bytes).toBeGreaterThan(4 * AHEAD);

  await bob.press(labels.watch);
  await until('the film moves', async () => ((await bob.stamp(film(page)))?.frame ?? 0) > 20);
  await bob.hears(bob);
  await page.keyboard.press('Space');
  await bob.button(labels.play).waitFor({ timeout: 5_000 });
  const [still, paused] = [await settled(house), await bob.stamp(film(page))];
  await elapse(1_000);
  expect([await bytesOut(house), await bob.stamp(film(page))], 'who pauses gets nothing more').toEqual([still, paused]);
  expect(still - before, 'and never got more than was seen, and what goes ahead').toBeLessThan((bytes * (paused!.frame / FPS + 2)) / FILM.seconds + AHEAD);

  const took: number[] = [];
  for (const frame of [300, 331, 77, 5]) {
    const start = performance.now();
    await goTo(bob, frame);
    took.push(performance.now() - start);
  }
  figure('a recording', 'time to the picture of another position', took, 'none');

  await page.getByRole('combobox', { name: labels.speed }).selectOption('2');
  await bob.press(labels.play);
  await until('it goes', async () => ((await bob.stamp(film(page)))?.frame ?? 0) > 10);
  const speed = await speedOf(page, 1_500);
  expect(speed).toBeGreaterThan(1.7);
  expect(speed).toBeLessThan(2.3);
  await bob.press(labels.pause);
  await page.getByRole('combobox', { name: labels.speed }).selectOption('1');

  await goThroughCut(house, bob, () => proxy.reset());
  await bob.press(labels.pause);
  await goTo(bob, FPS * FILM.seconds - 20);
  await bob.press(labels.play);
  const end = Number(await slider(page).getAttribute('max'));
  await until('it is over', async () => Number(await slider(page).inputValue()) > end - 20, { ms: 5_000 });
  await bob.button(labels.play).waitFor({ timeout: 5_000 });
}, 120_000);

/** The connection is cut: what was on its way comes, and what follows, and nothing is seen twice or left out. */
async function goThroughCut(house: House, person: Person, cut: () => void): Promise<void> {
  const picture = film(person.page);
  await goTo(person, 120);
  await person.press(labels.play);
  await until('it goes on', async () => ((await person.stamp(picture))?.frame ?? 0) > 120);
  cut();
  let [at, seen] = [performance.now(), (await person.stamp(picture))!];
  await until('what had not come yet is shown', async () => {
    const now = performance.now();
    const next = (await person.stamp(picture))!;
    const steps = ahead(next, seen);
    expect(steps, 'frames from one look to the next').toBeLessThanOrEqual(((performance.now() - at) / 1000) * FPS + 5);
    [at, seen] = [now, next];
    return next.frame > 120 + 4 * FPS;
  }, { ms: 15_000 });
  expect((await house.server.metrics()).sum('landline_resumes_total')).toBe(1);
}

keyedRecording(folders[1]!)('a call is watched alone, with the token of its list of recordings: all members are seen, by their names', async ({ house }) => {
  const [ann, bob] = [await house.person('ann'), await house.person('bob')];
  const token = (role: 'ann' | 'bob') => mint(KEY, { room: 'cinema', sub: role, name: cast[role].name, grants: ['publish', 'subscribe', 'data', 'record'] });
  await Promise.all([ann, bob].map((person) => person.join(house.server.url, 'cinema', token(person.role as 'ann' | 'bob'))));
  await Promise.all([ann.sees(bob), bob.sees(ann)]);
  await ann.press(labels.record);
  await bob.page.getByRole('status').getByText('Recording', { exact: true }).waitFor({ timeout: 5_000 });
  await elapse(3_000);
  await ann.press(labels.stopRecording);
  await ann.press(labels.openRecordings);
  const watcher = await watchFrom(house, ann);
  expect(watcher.page.url()).toMatch(/\/recordings\/[^#]+$/);
  await until('both are heard', async () => {
    // The call was short: it begins anew where it is over.
    if (await watcher.button(labels.play).isVisible()) await watcher.press(labels.play);
    return (await watcher.hear(ann, bob))?.tones.every((level) => level > -45);
  });
  if (await watcher.button(labels.pause).isVisible()) await watcher.press(labels.pause);
  const [one, two] = [await bothAt(watcher, [ann, bob], 900), await bothAt(watcher, [ann, bob], 1_900)];
  for (const [i, later] of two.entries()) {
    // A second later, but for frames that a busy machine did not make.
    expect(ahead(later, one[i]!)).toBeGreaterThan(15);
    expect(ahead(later, one[i]!)).toBeLessThan(45);
  }
  for (const size of SIZES) {
    await watcher.page.setViewportSize(size);
    await inspect(watcher, 'watch', size.width);
  }
  await watcher.page.goto(`${house.server.url}/recordings/20250101-000000-cinema-00000000`);
  await watcher.heading('You need an invitation').waitFor({ timeout: 5_000 });
  await watcher.page.goto(`${house.server.url}/recordings/20250101-000000-cinema-00000000#token=${token('ann')}`);
  await watcher.heading('There is no such recording').waitFor({ timeout: 5_000 });
  await inspect(watcher, 'watch-none', SIZES[1]!.width);
}, 60_000);

/** What is shown of people at a position, ms. */
async function bothAt(watcher: Person, people: Person[], ms: number): Promise<Stamp[]> {
  await slider(watcher.page).fill(String(ms));
  await watcher.page.locator('main[aria-busy="false"]').waitFor({ timeout: 5_000 });
  return Promise.all(people.map((person) => until(`${person.name} is seen`, async () => {
    const seen = await watcher.stamp(watcher.pictureOf(person));
    return seen?.id === person.id ? seen : undefined;
  })));
}

/** Opens the first recording of the list on a page of its own, and plays it there. */
async function watchFrom(house: House, person: Person): Promise<Person> {
  const [page] = await Promise.all([person.context.waitForEvent('page'), person.page.getByRole('link', { name: /^Watch / }).first().click({ timeout: 10_000 })]);
  const watcher = new Person(person.role, person.context, page);
  house.people.push(watcher);
  await page.getByRole('img', { name: /^Video of / }).first().waitFor({ timeout: 10_000 });
  // The new page may have to be clicked, or not: that is the browser's to say, and asking a page changes it.
  await until('it plays', async () => {
    if (await watcher.button(labels.pause).isVisible()) return true;
    await watcher.button(labels.watch).click({ timeout: 500 });
    return false;
  });
  return watcher;
}
