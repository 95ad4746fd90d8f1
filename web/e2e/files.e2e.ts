// Files between pages and the command line, over connections that break: the same bytes at the end, and voices that go on.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { expect, inject } from 'vitest';
import { acceptOf, cancelOf, declineOf, labels, progressOf, saveOf, stopOf } from '../app/labels';
import { Command } from './harness/cli';
import { e2e, type House } from './harness/house';
import { inspect, SIZES } from './harness/inspect';
import { watchLoad } from './harness/load';
import type { Person } from './harness/person';
import { elapse, until } from './harness/wait';

const ROOM = 'office';
const noServer = /WebSocket connection to '.*' failed/;
const MB = 1_000_000;

interface Made {
  name: string;
  path: string;
  sha256: string;
}

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** A file of noise in a folder of its own. */
function made(name: string, size: number): Made {
  const path = join(mkdtempSync(join(inject('folder'), 'file-')), name);
  writeFileSync(path, randomBytes(size));
  return { name, path, sha256: hashOf(path) };
}

/** Two people with their chats open, each over a proxy of their own. */
async function meeting(house: House) {
  house.cuts = true;
  house.expectedErrors.push(noServer);
  const [up, down] = [await house.proxy(21), await house.proxy(22)];
  const [ann, bob] = [await house.person('ann'), await house.person('bob')];
  await Promise.all([ann.join(up.url, ROOM), bob.join(down.url, ROOM)]);
  await Promise.all([openChat(ann), openChat(bob)]);
  return { ann, bob, up, down };
}

async function openChat(person: Person): Promise<void> {
  await person.press(labels.openChat);
  await person.page.getByRole('log', { name: labels.chat }).waitFor();
}

/** Chooses files as people do: by the button and the browser's own dialog. */
async function attach(person: Person, ...files: Made[]): Promise<void> {
  const chooser = person.page.waitForEvent('filechooser');
  await person.press(labels.attach);
  await (await chooser).setFiles(files.map(({ path }) => path));
}

/** A file in somebody's chat. */
function card(person: Person, file: { name: string }): Locator {
  return person.page.getByRole('log', { name: labels.chat }).getByRole('group', { name: `File ${file.name}`, exact: true });
}

async function accept(person: Person, file: Made): Promise<void> {
  await card(person, file).getByRole('button', { name: acceptOf(file.name), exact: true }).click({ timeout: 10_000 });
}

/** Waits until the bar stands at this part at least. */
async function at(person: Person, bar: string, part: number): Promise<void> {
  const progress = person.page.getByRole('progressbar', { name: bar, exact: true });
  await until(`${bar} is at ${part} with ${person.name}`, async () => (await progress.evaluate((e) => (e as HTMLProgressElement).position)) >= part, { ms: 30_000, every: 20 });
}

/** Saves what has come, and compares it. */
async function saves(person: Person, file: Made, ms = 30_000): Promise<void> {
  const link = card(person, file).getByRole('link', { name: saveOf(file.name), exact: true });
  await link.waitFor({ timeout: ms });
  const download = person.page.waitForEvent('download');
  await link.click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe(file.name);
  expect(hashOf(await saved.path())).toBe(file.sha256);
}

const says = (person: Person, file: Made, text: string | RegExp): Promise<void> => card(person, file).getByText(text).waitFor({ timeout: 15_000 });

e2e('a file goes from page to page over connections that break, and it is the same', async ({ house }) => {
  const { ann, bob, up, down } = await meeting(house);
  const file = made('plan für Bob.bin', 6 * MB);
  up.become({ up: MB });
  await attach(ann, file);
  await says(ann, file, 'Waiting for Bob to answer.');
  await says(bob, file, '6.0 MB');
  await accept(bob, file);
  await at(bob, progressOf(file.name, ''), 0.15);
  up.reset();
  await at(bob, progressOf(file.name, ''), 0.4);
  down.reset();
  await at(ann, progressOf(file.name, 'Bob'), 0.6);
  up.reset();
  down.reset();
  await saves(bob, file);
  await says(ann, file, 'Bob has it.');
  const metrics = await house.server.metrics();
  expect(metrics.sum('landline_resumes_total')).toBeGreaterThanOrEqual(4);
  expect(metrics.sum('landline_object_bytes_in_total')).toBeLessThan(8 * MB);
});

e2e('it goes on when the relay is started anew', async ({ house }) => {
  const { ann, bob, up } = await meeting(house);
  const file = made('film.bin', 6 * MB);
  up.become({ up: MB });
  await attach(ann, file);
  await accept(bob, file);
  await at(bob, progressOf(file.name, ''), 0.3);
  await house.restart();
  await saves(bob, file);
  await says(ann, file, 'Bob has it.');
  expect((await house.server.metrics()).sum('landline_object_bytes_in_total'), 'what went again').toBeLessThan(5 * MB);
});

e2e('"landline send" is answered by a page, over a cut', async ({ house }) => {
  const { bob, ann, down } = await meeting(house);
  const file = made('report.pdf', 4 * MB);
  down.become({ down: MB });
  const command = Command.start('send', house.server.url, ROOM, file.path);
  await accept(bob, file);
  await card(ann, file).getByRole('button', { name: declineOf(file.name) }).click({ timeout: 5_000 });
  await says(ann, file, 'You declined it.');
  await at(bob, progressOf(file.name, ''), 0.3);
  down.reset();
  await saves(bob, file);
  const report = await command.report<{ sha256: string; receivers: { name: string; result: string }[] }>(20_000);
  expect(report.sha256).toBe(file.sha256);
  expect(report.receivers.map(({ name, result }) => [name, result]).sort()).toEqual([['Ann', 'declined'], ['Bob', 'received']]);
});

e2e('"landline receive" takes what a page offers, over a cut', async ({ house }) => {
  house.cuts = true;
  house.expectedErrors.push(noServer);
  const up = await house.proxy(23);
  const ann = await house.person('ann');
  await ann.join(up.url, ROOM);
  await openChat(ann);
  const [file, empty] = [made('data.bin', 4 * MB), made('empty.txt', 0)];
  up.become({ up: MB });
  await attach(ann, file, empty);
  await says(ann, file, 'Nobody else is here. Whoever comes is asked.');
  const inbox = mkdtempSync(join(inject('folder'), 'inbox-'));
  const command = Command.start('receive', house.server.url, ROOM, '--count', '2', '--name', 'Store', inbox);
  await at(ann, progressOf(file.name, 'Store'), 0.3);
  up.reset();
  await says(ann, file, 'Store has it.');
  await says(ann, empty, 'Store has it.');
  const report = await command.report<{ files: { name: string; sha256: string; from: string }[] }>(20_000);
  expect(report.files.map(({ name, from, sha256 }) => [name, from, sha256]).sort()).toEqual([[file.name, 'Ann', file.sha256], [empty.name, 'Ann', empty.sha256]]);
  for (const { name, sha256 } of [file, empty]) expect(hashOf(join(inbox, name))).toBe(sha256);
});

e2e('a file under way leaves voices whole on a thin link', async ({ house }) => {
  const { ann, bob, up } = await meeting(house);
  await Promise.all([ann.press(labels.cameraOff), bob.press(labels.cameraOff)]);
  await Promise.all([bob.hears(ann), ann.hears(bob)]);
  up.become({ up: 60_000, delayMs: 20 });
  const file = made('slow.bin', 500_000);
  await attach(ann, file);
  await accept(bob, file);
  await at(bob, progressOf(file.name, ''), 0.05);
  const packets = async () => (await house.server.members(ROOM)).get('Ann')!.tracks.find(({ kind }) => kind === 'audio')!.frames;
  const [before, packetsBefore, start] = [await house.server.metrics(), await packets(), performance.now()];
  const load = watchLoad();
  await at(bob, progressOf(file.name, ''), 0.5);
  await bob.hears(ann, { ms: 3_000 });
  await at(bob, progressOf(file.name, ''), 0.9);
  const came = (await packets()) - packetsBefore;
  const rate = came / ((performance.now() - start) / 1000);
  await bob.hears(ann, { ms: 3_000 });
  const after = await house.server.metrics();
  const dropped = after.sum('landline_frames_dropped_total') - before.sum('landline_frames_dropped_total');
  const reasons = JSON.stringify(after.by('landline_frames_dropped_total'));
  const { late } = await load();
  // A page that gets no time for longer than sound may wait is not what is looked at.
  expect(dropped, `packets dropped of ${came}, by reason ${reasons}; this machine was late by ${JSON.stringify(late)} ms`).toBeLessThanOrEqual(late.p95 > 50 ? came / 50 : 0);
  await saves(bob, file);
  expect(rate, 'packets of sound a second that got through Ann\'s uplink').toBeGreaterThan(45);
});

e2e('is declined, taken back, and cancelled at either end', async ({ house }) => {
  const { ann, bob, up } = await meeting(house);
  up.become({ up: 500_000 });
  const [one, two, three] = [made('one.bin', 1_000), made('two.bin', 5 * MB), made('three.bin', 5 * MB)];
  await attach(ann, one);
  await card(bob, one).getByRole('button', { name: declineOf(one.name) }).click();
  await says(bob, one, 'You declined it.');
  await says(ann, one, 'Bob declined it.');
  await card(ann, one).getByRole('button', { name: stopOf(one.name) }).click();
  await says(ann, one, 'You took it back.');
  await attach(ann, two);
  await accept(bob, two);
  await at(ann, progressOf(two.name, 'Bob'), 0.02);
  await card(bob, two).getByRole('button', { name: cancelOf(two.name) }).click();
  await says(bob, two, 'You cancelled it.');
  await says(ann, two, 'Bob cancelled it.');
  await attach(ann, three);
  await accept(bob, three);
  await at(bob, progressOf(three.name, ''), 0.02);
  await card(ann, three).getByRole('button', { name: cancelOf(three.name) }).click();
  await says(ann, three, 'You took it back.');
  await says(bob, three, /The sender took it back/);
  const came = async () => (await house.server.metrics()).sum('landline_object_bytes_in_total');
  const after = await came();
  await elapse(500);
  expect(await came(), 'bytes that come though nobody wants them').toBe(after);
});

e2e('a dropped file is offered, and who has the chat closed is told', async ({ house }) => {
  const [ann, bob] = await house.call(ROOM, ['ann', 'bob']);
  await openChat(ann);
  const dropped = await ann.page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['dropped here'], 'note.txt', { type: 'text/plain' }));
    return data;
  });
  await ann.page.getByRole('complementary', { name: labels.chat }).dispatchEvent('dragover', { dataTransfer: dropped });
  await ann.page.getByText('Drop files here').waitFor({ timeout: 2_000 });
  await ann.page.getByRole('complementary', { name: labels.chat }).dispatchEvent('drop', { dataTransfer: dropped });
  await bob.page.getByText('Ann offers you note.txt, 12 bytes. Open the chat to answer.').waitFor({ timeout: 5_000 });
  expect(await bob.page.title()).toMatch(/^\(1\)/);
  // By keyboard alone.
  await bob.page.keyboard.press('c');
  await card(bob, { name: 'note.txt' }).getByRole('button', { name: acceptOf('note.txt') }).press('Enter');
  const save = card(bob, { name: 'note.txt' }).getByRole('link', { name: saveOf('note.txt') });
  await until('the focus goes to what is next', () => save.evaluate((link) => link === document.activeElement), { ms: 5_000 });
  await card(ann, { name: 'note.txt' }).getByText('Bob has it.').waitFor({ timeout: 5_000 });
});

for (const size of SIZES) {
  e2e(`files in every state fit at ${size.width} px`, async ({ house }) => {
    house.cuts = true;
    const down = await house.proxy(24);
    const ann = await house.person('ann');
    const bob = await house.person('bob', { size });
    await Promise.all([ann.join(house.server.url, ROOM), bob.join(down.url, ROOM)]);
    await Promise.all([openChat(ann), openChat(bob)]);
    const long = `${'a-very-long-name-'.repeat(9)}end.tar.gz`;
    const [open, come, there, own] = [made(long, 1_000), made('come.bin', 20 * MB), made('photo.jpg', 70_000), made('mine.txt', 3_000)];
    const declined = made('no-thanks.zip', 1_000);
    await attach(ann, declined, there, come, open);
    await card(bob, declined).getByRole('button', { name: declineOf(declined.name) }).click();
    await accept(bob, there);
    await card(bob, there).getByRole('link', { name: saveOf(there.name) }).waitFor({ timeout: 5_000 });
    await attach(bob, own);
    await accept(ann, own);
    await says(bob, own, 'Ann has it.');
    down.become({ down: 300_000 });
    await accept(bob, come);
    await at(bob, progressOf(come.name, ''), 0.03);
    await inspect(bob, 'files', size.width);
    await card(bob, come).getByRole('button', { name: cancelOf(come.name) }).click();
    await inspect(bob, 'files-over', size.width);
  });
}
