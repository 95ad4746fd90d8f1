// Browser processes. A fake camera and microphone belong to a process, so each role has its own, started when first
// needed and kept for the file's tests; each person in a test is a context of it.

import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, inject } from 'vitest';
import type { Role } from './media';

export interface Capture {
  role: Role;
  /** steady: the role's tone all the time. beeps: short ones of changing pitch, to be timed. timed: two tones, as in tone.ts. */
  sound?: 'steady' | 'beeps' | 'timed';
  /** Whether the browser asks, and with nobody to answer refuses, instead of granting devices by itself. */
  asks?: boolean;
}

const running = new Map<string, Promise<Browser>>();

afterAll(async () => {
  const browsers = await Promise.all(running.values());
  running.clear();
  await Promise.all(browsers.map((browser) => browser.close()));
});

export function browserOf(capture: Capture): Promise<Browser> {
  const key = JSON.stringify(capture);
  const known = running.get(key) ?? launch(capture);
  running.set(key, known);
  return known;
}

function launch({ role, sound = 'steady', asks = false }: Capture): Promise<Browser> {
  const capture = join(inject('folder'), role);
  const args = [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream=fps=30',
    `--use-file-for-fake-video-capture=${capture}.mjpeg`,
    `--use-file-for-fake-audio-capture=${sound === 'steady' ? capture : join(inject('folder'), sound)}.wav`,
  ];
  if (!asks) args.push('--use-fake-ui-for-media-stream');
  return chromium.launch({ executablePath: inject('chromium'), args });
}
