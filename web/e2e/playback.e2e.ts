// A recording that is played to everybody in the room, from the list of recordings.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { labels, playedName, stillOf } from '../app/labels';
import { recording } from './harness/house';
import { inspect, SIZES } from './harness/inspect';
import type { Person } from './harness/person';
import { elapse, until } from './harness/wait';

const folder = mkdtempSync(join(tmpdir(), 'landline-playback-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bar = (person: Person) => person.page.getByRole('region', { name: labels.playback });
const slider = (person: Person) => bar(person).getByRole('slider', { name: labels.position });
const position = async (person: Person): Promise<number> => Number(await slider(person).inputValue());
const tool = (person: Person, name: RegExp) => person.page.getByRole('button', { name });

/** Ann, who says nothing, has herself and Bob recorded for some seconds; he leaves. */
async function recorded(ann: Person, bob: Person): Promise<string> {
  await ann.press(labels.mute);
  await ann.press(labels.record);
  await bob.page.getByRole('status').getByText('Recording', { exact: true }).waitFor({ timeout: 5_000 });
  await elapse(6_000);
  await ann.press(labels.stopRecording);
  const name = await until('the file is saved', () => readdirSync(folder).find((file) => file.endsWith('.webm')));
  await bob.press(labels.leave);
  return name;
}

/** Runs in the page: goes to places in a file, and tells where it came to. */
async function goThrough(src: string): Promise<{ width: number; duration: number; at: number[] }> {
  const video = document.createElement('video');
  const heard = (event: string) => new Promise((resolve, reject) => {
    video.addEventListener(event, resolve, { once: true });
    video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
  });
  const known = heard('loadeddata');
  Object.assign(video, { muted: true, preload: 'auto', src });
  await known;
  const at: number[] = [];
  for (const to of [3, 1, 4]) {
    const there = heard('seeked');
    video.currentTime = to;
    await there;
    at.push(video.currentTime);
  }
  return { width: video.videoWidth, duration: video.duration, at };
}

recording(folder)('a recording is played to everybody, stands still, goes elsewhere, and ends', async ({ house }) => {
  const [ann, bob] = await house.call('cinema', ['ann', 'bob']);
  const file = await recorded(ann, bob);
  const cyd = await house.person('cyd');
  await cyd.join(house.server.url, 'cinema');
  const played = { name: playedName(bob.name), id: bob.id };

  await ann.press(labels.openRecordings);
  const rows = ann.page.getByRole('list', { name: labels.recordings }).getByRole('listitem');
  await rows.first().waitFor({ timeout: 5_000 });
  expect(await rows.count()).toBe(1);
  const cover = ann.page.getByRole('img', { name: /^A picture of / });
  await until('the list shows a picture of it', async () => (await cover.evaluate((img: HTMLImageElement) => img.naturalWidth)) === 640, { ms: 5_000 });
  const coming = ann.page.waitForEvent('download', { timeout: 10_000 });
  await tool(ann, /^Download /).click();
  const download = await coming;
  expect(download.suggestedFilename()).toBe(file);
  expect(readFileSync(await download.path()).equals(readFileSync(join(folder, file))), 'what was downloaded is the file').toBe(true);

  const inVideo = await ann.page.evaluate(goThrough, `/api/recordings/${file.replace('.webm', '')}/file`);
  expect(inVideo, 'the file in a <video> of Chromium').toMatchObject({ width: 640, at: [3, 1, 4] });
  expect(inVideo.duration).toBeGreaterThan(5);

  await tool(ann, /^Play .* for everyone$/).click();
  await ann.press(labels.closePanel);
  await bar(ann).getByRole('button', { name: labels.repeat }).click();
  await Promise.all([cyd.sees(played, { ms: 10_000 }), cyd.hears(bob, { ms: 10_000 })]);
  expect(await cyd.page.getByText('2 people').count(), 'those who are played do not count').toBe(1);

  await bar(ann).getByRole('button', { name: labels.pauseAll }).click();
  await cyd.hearsNothing({ ms: 5_000 });
  await bar(cyd).getByRole('button', { name: labels.playAll }).waitFor({ timeout: 5_000 });
  const [still, at] = [await cyd.stamp(cyd.pictureOf(played)), await position(cyd)];
  await elapse(1_500);
  expect([await cyd.stamp(cyd.pictureOf(played)), await position(cyd)]).toEqual([still, at]);
  expect(Math.abs((await position(ann)) - at), 'both are told the same position').toBeLessThan(100);

  for (const size of SIZES) {
    await cyd.page.setViewportSize(size);
    await inspect(cyd, 'playback', size.width);
    if (size.width < 720) await cyd.press(labels.more);
    await cyd.press(size.width < 720 ? labels.recordings : labels.openRecordings);
    await cyd.page.getByRole('list', { name: labels.recordings }).waitFor({ timeout: 5_000 });
    await inspect(cyd, 'recordings', size.width);
    await cyd.press(labels.closePanel);
  }

  await slider(ann).press('ArrowLeft');
  await until('cyd is shown the beginning', async () => (await position(cyd)) < 500, { ms: 5_000 });
  await until('cyd sees another picture', async () => (await cyd.stamp(cyd.pictureOf(played)))?.frame !== still?.frame, { ms: 5_000 });
  await bar(cyd).getByRole('button', { name: labels.playAll }).click(); // anybody who may record may do it
  await Promise.all([cyd.sees(played, { ms: 10_000 }), cyd.hears(bob, { ms: 10_000 })]);

  await bar(ann).getByRole('button', { name: labels.stopAll }).click();
  await cyd.tile(played.name).waitFor({ state: 'detached', timeout: 5_000 });
  expect(await bar(cyd).count()).toBe(0);
  await ann.press(labels.openRecordings);
  await tool(ann, /^Delete (?!.* for good$)/).click();
  await tool(ann, / for good$/).click();
  await ann.page.getByText('Nothing was recorded in this room yet').waitFor({ timeout: 5_000 });
  expect(readdirSync(folder)).toEqual([]);

  const clip = join(import.meta.dirname, '../../testdata/bunny-4s.webm');
  const adds = ann.page.locator('footer input[type=file]');
  const second = join(folder, 'second.mp4'); // H.264 and AAC, which the page makes into VP8 and Opus
  execFileSync('ffmpeg', ['-v', 'error', '-i', clip, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', second]);
  await adds.setInputFiles(second);
  await tool(ann, /^Play second for everyone$/).waitFor({ timeout: 20_000 });
  const third = join(folder, 'third.mkv'); // of which the page makes a picture, since the relay cannot
  execFileSync('ffmpeg', ['-v', 'error', '-i', clip, '-t', '1', '-c:v', 'libx264', '-profile:v', 'baseline', '-bf', '0', '-pix_fmt', 'yuv420p', '-c:a', 'copy', third]);
  await adds.setInputFiles(third);
  const drawn = ann.page.getByRole('img', { name: stillOf('third') });
  await until('the list shows a picture of it', async () => (await drawn.evaluate((img: HTMLImageElement) => img.naturalWidth)) === 320, { ms: 15_000 });
  await adds.setInputFiles(clip);
  await tool(ann, /^Play bunny-4s for everyone$/).click({ timeout: 10_000 });
  await bar(cyd).getByText('bunny-4s').waitFor({ timeout: 5_000 });
  const film = cyd.pictureOf({ name: 'bunny-4s' });
  await film.waitFor({ timeout: 5_000 });
  const first = await cyd.look(film);
  await until('the film moves', async () => (await cyd.look(film)) !== first, { ms: 5_000 });

  await tool(ann, /^Play second afterwards$/).click();
  await bar(cyd).getByText('then one more').waitFor({ timeout: 5_000 });
  await bar(cyd).getByRole('button', { name: labels.nextAll }).click();
  await cyd.pictureOf({ name: 'second' }).waitFor({ timeout: 5_000 });
  await cyd.tile('bunny-4s').waitFor({ state: 'detached', timeout: 5_000 });
  expect(await bar(cyd).getByRole('button', { name: labels.nextAll }).count(), 'nothing is behind it').toBe(0);
  await cyd.tile('second').waitFor({ state: 'detached', timeout: 15_000 }); // it was over
}, 120_000);
