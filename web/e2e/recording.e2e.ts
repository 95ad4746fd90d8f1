// A recording that one member begins, the other sees, and the relay writes.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { labels } from '../app/labels';
import { recording } from './harness/house';
import { elapse, until } from './harness/wait';

const folder = mkdtempSync(join(tmpdir(), 'landline-recordings-'));
afterAll(() => rmSync(folder, { recursive: true }));

recording(folder)('recording: one begins it, the other sees the mark, and both are in the file', async ({ house }) => {
  const [ann, bob] = await house.call('studio', ['ann', 'bob']);
  const mark = bob.page.getByRole('status').getByText('Recording', { exact: true });
  expect(await mark.count()).toBe(0);
  await ann.press(labels.record);
  await mark.waitFor({ timeout: 5_000 });
  await elapse(3_000);
  await bob.press(labels.stopRecording);
  await mark.waitFor({ state: 'detached', timeout: 5_000 });
  const file = await until('the file is saved', () => readdirSync(folder).find((name) => name.endsWith('.webm')));
  const { streams } = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', join(folder, file)], { encoding: 'utf8' })) as {
    streams: { codec_type: string; tags: Record<string, string> }[];
  };
  const tracks = streams.map(({ codec_type, tags }) => `${codec_type} ${tags['title'] ?? ''}`).sort();
  expect(tracks).toEqual([ann, bob].flatMap(({ name }) => [`audio ${name} · mic`, `video ${name} · camera`]).sort());
  const said = execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-xerror', '-i', join(folder, file), '-f', 'null', '-'], { encoding: 'utf8' });
  expect(said).toBe('');
});
