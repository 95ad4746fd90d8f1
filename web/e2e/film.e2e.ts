// A file of one's own that a page plays to everybody: as it is where the relay carries it, else decoded and encoded again.

import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Locator } from 'playwright-core';
import { expect, inject } from 'vitest';
import { filmOf, labels } from '../app/labels';
import { Command, packets, type Packet } from './harness/cli';
import { e2e, type House } from './harness/house';
import { inspect, SIZES } from './harness/inspect';
import { foreignClip } from './harness/media';
import { ahead, AUDIBLE, type Person } from './harness/person';
import { elapse, until } from './harness/wait';

const ROOM = 'cinema';
const BUNNY = resolve(import.meta.dirname, '../../testdata/bunny-4s.webm');
const FILM = { id: 9, hz: 2300, seconds: 15 };

const bar = (person: Person) => person.page.getByRole('region', { name: labels.film });
const tool = (person: Person, name: string) => bar(person).getByRole('button', { name, exact: true });
const position = async (person: Person): Promise<number> => Number(await bar(person).getByRole('progressbar').getAttribute('value'));

async function picks(person: Person, path: string): Promise<void> {
  const asked = person.page.waitForEvent('filechooser', { timeout: 5_000 });
  await person.press(labels.streamFile);
  await (await asked).setFiles(path);
}

/** Two who say and show nothing, so that all that comes is the file. */
async function cinema(house: House): Promise<[Person, Person]> {
  const [ann, bob] = await house.call(ROOM, ['ann', 'bob']);
  await Promise.all([ann, bob].map((person) => person.press(labels.mute)));
  await Promise.all([ann, bob].map((person) => person.press(labels.cameraOff)));
  await Promise.all([ann, bob].map((person) => person.hearsNothing()));
  return [ann, bob];
}

async function seesMoving(person: Person, of: Person): Promise<void> {
  const first = await until(`${person.name} sees the film`, () => person.look(person.filmOf(of)));
  await until(`${person.name} sees the film move`, async () => (await person.look(person.filmOf(of))) !== first);
}

/** What the relay has of somebody. */
async function tracksOf(house: House, { name }: Person): Promise<string> {
  const { tracks } = (await house.server.members(ROOM)).get(name)!;
  return tracks.map(({ id, codec }) => `${id} ${codec}`).sort().join(', ');
}

const shape = (list: Packet[]): string[] => list.map(({ size, data_hash }) => `${size} ${data_hash}`);

/** Tiles that find another place are on their way for a moment. */
async function standsStill(tile: Locator): Promise<void> {
  let last = '';
  await until('the tile is in its place', async () => {
    const [before, now] = [last, JSON.stringify(await tile.boundingBox())];
    last = now;
    return before === now;
  }, { every: 150 });
}

e2e('a file that the relay carries is seen and heard, and arrives as it is', async ({ house }) => {
  const [ann, bob] = await cinema(house);
  const saved = join(inject('folder'), 'film.mkv');
  const watch = Command.start('watch', house.server.url, ROOM, '--member', ann.name, '--name', 'witness', '--out', saved);
  await until('the witness is there', async () => (await house.server.members(ROOM)).has('witness'));
  const before = await house.server.metrics();
  await picks(ann, BUNNY);
  const own = ann.page.locator('video').and(ann.page.getByLabel(labels.yourFilm, { exact: true }));
  await Promise.all([
    seesMoving(bob, ann),
    until('bob hears the film', async () => ((await bob.hear())?.rms ?? 0) > 0.01),
    until('ann sees it as well', async () => (await own.count()) === 1 && ann.look(own)),
    until('the relay has its tracks', async () => (await tracksOf(house, ann)) === 'file vp8, file-audio opus, mic opus'),
  ]);
  await bob.tile(filmOf(ann.name)).waitFor({ state: 'detached', timeout: 10_000 }); // it is over
  await bar(ann).waitFor({ state: 'detached', timeout: 2_000 });
  const after = await house.server.metrics();
  const [sent, overSocket] = ['landline_media_bytes_out_total', 'path="websocket"'];
  expect(after.sum(sent, overSocket) - before.sum(sent, overSocket), 'to bob and the witness, over the WebSocket').toBeGreaterThan(2 * 90_000);
  watch.interrupt();
  await watch.report(10_000);
  const [from, to] = [packets(BUNNY), packets(saved)];
  for (const kind of ['video', 'audio'] as const) {
    expect(shape(to[kind]), `${kind} packets`).toEqual(shape(from[kind]));
    // Both files have whole milliseconds.
    const off = from[kind].map(({ pts_time }, i) => Math.abs(Number(pts_time) - Number(from.video[0]!.pts_time) - Number(to[kind][i]!.pts_time) + Number(to.video[0]!.pts_time)));
    expect(Math.max(...off), `${kind} against the first picture, s`).toBeLessThan(0.0015);
  }
});

e2e('any other file is encoded anew, stands still, goes on, and is stopped', async ({ house }) => {
  const film = join(inject('folder'), 'holiday.mp4');
  foreignClip(film, FILM);
  const [ann, bob] = await cinema(house);

  const notes = join(inject('folder'), 'notes.mp4');
  writeFileSync(notes, 'no film at all');
  await picks(ann, notes);
  await ann.page.getByText('“notes.mp4” cannot be streamed: it is no video or sound file').waitFor({ timeout: 5_000 });
  await ann.page.getByRole('button', { name: /^Dismiss: “notes.mp4”/ }).click();

  await picks(ann, film);
  const picture = bob.filmOf(ann);
  const first = await until('bob sees the film', () => bob.stamp(picture));
  expect(first.id).toBe(FILM.id);
  await until('the film moves', async () => ahead((await bob.stamp(picture))!, first) > 10);
  await until('bob hears the film', async () => {
    const heard = await bob.hear();
    return heard && heard.rms > AUDIBLE && Math.abs(heard.peak - FILM.hz) < 15;
  });
  expect(await tracksOf(house, ann)).toBe('file vp8, file-audio opus, mic opus');

  await tool(ann, labels.filmPause).click();
  await bob.hearsNothing({ ms: 3_000 });
  const [still, at] = [await bob.stamp(picture), await position(ann)];
  await elapse(1_000);
  expect([await bob.stamp(picture), await position(ann)], 'it stands still').toEqual([still, at]);
  for (const size of SIZES) {
    await ann.page.setViewportSize(size);
    await standsStill(ann.tile(labels.yourFilm));
    await inspect(ann, 'film', size.width);
  }
  await tool(ann, labels.filmGoOn).click();
  await until('it goes on where it was', async () => {
    const steps = ahead((await bob.stamp(picture))!, still!);
    return steps > 0 && steps < 60;
  });
  await until('bob hears it again', async () => ((await bob.hear())?.rms ?? 0) > AUDIBLE);

  await tool(ann, labels.filmStop).click();
  await bob.tile(filmOf(ann.name)).waitFor({ state: 'detached', timeout: 2_000 });
  await bob.hearsNothing({ ms: 3_000 });
  expect(await tracksOf(house, ann)).toBe('mic opus');
});
