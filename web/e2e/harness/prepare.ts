// Before all tests: checks that what they need is there, and makes the pictures and sounds that fake cameras and
// microphones play. All of it goes into one folder that is removed at the end.

import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { beepingMic, cast, stampedCamera, steadyMic, timedMic } from './media';
import { TIMED_TONES } from './tone';

declare module 'vitest' {
  interface ProvidedContext {
    landline: string;
    chromium: string;
    /** Where the fake captures are, and room for a test's own files. */
    folder: string;
    results: string;
  }
}

export default function prepare(project: TestProject): () => void {
  const here = import.meta.dirname;
  const landline = resolve(process.env['LANDLINE_BIN'] ?? join(here, '../../../bin/landline'));
  const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  runnable(landline, 'run "make build", or set LANDLINE_BIN');
  runnable(chromium, 'install Chromium, or set CHROMIUM');
  const folder = mkdtempSync(join(tmpdir(), 'landline-e2e-'));
  for (const { key, id, hz } of Object.values(cast)) {
    stampedCamera(join(folder, `${key}.mjpeg`), id);
    steadyMic(join(folder, `${key}.wav`), hz);
  }
  beepingMic(join(folder, 'beeps.wav'));
  timedMic(join(folder, 'timed.wav'), TIMED_TONES);
  project.provide('landline', landline);
  project.provide('chromium', chromium);
  project.provide('folder', folder);
  project.provide('results', resolve(here, '../../test-results'));
  return () => rmSync(folder, { recursive: true, force: true });
}

function runnable(path: string, advice: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new Error(`${path} is not there or cannot be run: ${advice}`);
  }
}
