// Recordings in the browser: open one, read its files, play them.

import type { OpenOptions, OpenRecording } from './api';
import { WorkerRecording } from './open';

export * from './api';
export { RecordingPlayer, SPEEDS } from './player';
export { JoinError, RecordingsError } from '../api';

/** Opens a recording to be watched alone. Rejects with a JoinError. */
export function openRecording(options: OpenOptions): Promise<OpenRecording> {
  return WorkerRecording.open(options);
}
