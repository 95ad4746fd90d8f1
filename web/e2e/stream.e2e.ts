// Files and pages in one room: what "landline stream" sends is seen and heard, what a page sends "landline watch" saves.

import { join, resolve } from 'node:path';
import { expect, inject } from 'vitest';
import { labels } from '../app/labels';
import { bandLevel, Command, decodeErrors, ffprobe } from './harness/cli';
import { figure } from './harness/figures';
import { e2e, type House } from './harness/house';
import { stampedClip } from './harness/media';
import { ahead, AUDIBLE, type Person } from './harness/person';
import { elapse, until } from './harness/wait';

const ROOM = 'cinema';
const film = { name: 'film' };
const CLIP_HZ = 2300;
const CLIP_ID = 7;

function stream(house: House, file: string): Command {
  return Command.start('stream', house.server.url, ROOM, '--name', film.name, '--loop', file);
}

async function ends(command: Command): Promise<void> {
  command.interrupt();
  await command.report(10_000);
}

/** Waits until the picture is not flat, then until it is another one than before. */
async function seesMoving(person: Person): Promise<void> {
  const picture = person.pictureOf(film);
  const first = await until(`${person.name} sees the film`, () => person.look(picture), { ms: 15_000 });
  await until(`${person.name} sees the film move`, async () => (await person.look(picture)) !== first);
}

e2e('a real clip is seen and heard by two pages', async ({ house }) => {
  const command = stream(house, resolve(import.meta.dirname, '../../testdata/bunny-4s.webm'));
  const [ann, bob] = await house.call(ROOM, ['ann', 'bob']);
  // They are silent, so that what is heard is the film.
  await Promise.all([ann.press(labels.mute), bob.press(labels.mute)]);
  for (const person of [ann, bob]) {
    await seesMoving(person);
    await until(`${person.name} hears the film`, async () => ((await person.hear())?.rms ?? 0) > 0.01);
  }
  expect(Object.keys((await house.server.members(ROOM)).get(film.name)!.link.drops ?? {})).toEqual([]);
  await ends(command);
  await bob.tile(film.name).waitFor({ state: 'detached', timeout: 3_000 });
});

/** ms from the click on Join to the first picture, for a page that comes after the file has run for 5 s. */
async function fastStart(house: House, keyEvery: number): Promise<number> {
  const file = join(inject('folder'), `clip-${keyEvery}.webm`);
  stampedClip(file, { id: CLIP_ID, seconds: 20, hz: CLIP_HZ, keyEvery });
  const command = stream(house, file);
  await until('the file is streamed', async () => (await house.server.members(ROOM)).get(film.name)?.tracks.some((track) => track.frames > 0));
  const bob = await house.person('bob');
  await bob.open(house.server.url, ROOM);
  await elapse(5_000);
  const painted = bob.page.evaluate(([button, label]) => window.probe.timeToPicture(button!, label!), [labels.join, `Video of ${film.name}`]);
  await bob.press(labels.join);
  const took = await painted;
  await catchesUp(bob);
  await until(`${bob.name} hears the film`, async () => Math.abs(((await bob.hear())?.peak ?? 0) - CLIP_HZ) < 15);
  await ends(command);
  return took;
}

/** What was painted first may be a group's start: the picture must get to where the stream is, and go on at its pace. */
async function catchesUp(person: Person): Promise<void> {
  const picture = person.pictureOf(film);
  await until('the picture goes on at its pace', async () => {
    const [first, start] = [await person.stamp(picture), performance.now()];
    await elapse(1_000);
    const second = await person.stamp(picture);
    if (!first || !second || second.id !== CLIP_ID) return false;
    const pace = (ahead(second, first) / (performance.now() - start)) * 1000;
    return pace > 20 && pace < 40;
  });
}

e2e('a page that joins a running stream has its picture within 500 ms', async ({ house }) => {
  const took = await fastStart(house, 2);
  figure('join 5 s into a stream, a key frame every 2 s', 'click to first picture', [took], '< 500');
  expect(took).toBeLessThan(500);
});

e2e('also when key frames are 10 s apart', async ({ house }) => {
  const took = await fastStart(house, 10);
  figure('join 5 s into a stream, a key frame every 10 s', 'click to first picture', [took], '< 500');
  expect(took).toBeLessThan(500);
});

interface WatchReport {
  tracks: { codec: string; frames: number; gaps: number; abandoned_groups: number; drops: Record<string, number> }[];
}

e2e('what a page sends is saved whole', async ({ house }) => {
  const out = join(inject('folder'), 'saved.webm');
  const watch = Command.start('watch', house.server.url, ROOM, '--member', 'Ann', '--duration', '5s', '--out', out);
  const ann = await house.person('ann');
  await ann.join(house.server.url, ROOM);
  const { tracks } = await watch.report<WatchReport>(20_000);
  for (const track of tracks) expect(track).toMatchObject({ gaps: 0, abandoned_groups: 0, drops: {} });
  const [video, audio] = ['video', 'audio'].map((kind) => ffprobe(out).find((probed) => probed.codec_type === kind));
  expect(video).toMatchObject({ codec_name: 'vp8', width: 640, height: 360 });
  expect(audio).toMatchObject({ codec_name: 'opus' });
  expect(Number(video!.nb_read_frames)).toBeGreaterThan(60);
  expect(Number(audio!.nb_read_frames)).toBeGreaterThan(200);
  expect(decodeErrors(out)).toBe('');
  const tone = bandLevel(out, ann.hz, 1, 3);
  expect(tone, 'level of the tone in what was saved, dB').toBeGreaterThan(20 * Math.log10(AUDIBLE));
  expect(tone - bandLevel(out, 2.7 * ann.hz, 1, 3), 'above what is beside it, dB').toBeGreaterThan(20);
});
