// A recording that one member begins, the other sees, and the relay writes.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject } from 'vitest';
import { labels } from '../app/labels';
import { Command } from './harness/cli';
import { recording } from './harness/house';
import { flashingClip } from './harness/media';
import { elapse, until } from './harness/wait';

const folder = mkdtempSync(join(tmpdir(), 'landline-recordings-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** How long it is recorded: as long as the promise says, where time allows. */
const SECONDS = process.env['LANDLINE_LONG'] ? 60 : 4;

recording(folder)('recording: one begins it, the other sees the mark, and both are in the file', async ({ house }) => {
  const [ann, bob] = await house.call('studio', ['ann', 'bob']);
  const mark = bob.page.getByRole('status').getByText('Recording', { exact: true });
  expect(await mark.count()).toBe(0);
  await ann.press(labels.record);
  await mark.waitFor({ timeout: 5_000 });
  const clip = join(inject('folder'), 'flashing.webm');
  flashingClip(clip, 4);
  const film = Command.start('stream', house.server.url, 'studio', '--name', 'film', '--loop', clip);
  for (let visits = 0; visits < 2; visits++) {
    const cyd = await house.person('cyd');
    await cyd.join(house.server.url, 'studio');
    await cyd.meets(ann);
    await elapse((SECONDS * 1000) / 2);
    await cyd.press(labels.leave);
    await cyd.context.close();
  }
  await bob.press(labels.stopRecording);
  film.interrupt();
  await film.report(10_000);
  await mark.waitFor({ state: 'detached', timeout: 5_000 });
  const file = await until('the file is saved', () => readdirSync(folder).find((name) => name.endsWith('.webm')));
  const { streams } = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', join(folder, file)], { encoding: 'utf8' })) as {
    streams: { codec_type: string; tags: Record<string, string> }[];
  };
  const tracks = streams.map(({ codec_type, tags }) => `${codec_type} ${tags['title'] ?? ''}`).sort();
  const all = ['Ann', 'Bob', 'Cyd'].flatMap((name) => [`audio ${name} · mic`, `video ${name} · camera`]);
  expect([...new Set(tracks)].sort()).toEqual([...all, 'audio film · audio', 'video film · video'].sort());
  const said = execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-xerror', '-i', join(folder, file), '-f', 'null', '-'], { encoding: 'utf8' });
  expect(said).toBe('');
}, 180_000);
