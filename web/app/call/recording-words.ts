import type { RecordingInfo } from '../../sdk';

/** Whether what is said now is, or is about to be, in a recording. */
export const isRecorded = (recording: RecordingInfo | undefined): boolean => recording?.state === 'recording' || recording?.state === 'waiting';

/** The mark that stands as long as a recording goes on; undefined while there is none. */
export function recordingMark(recording: RecordingInfo | undefined): string | undefined {
  if (!recording || !isRecorded(recording)) return undefined;
  const only = recording.only ? ` ${recording.only}` : '';
  return recording.state === 'waiting' ? `Recording${only}: waiting for the disk` : `Recording${only}`;
}

const reasons: Record<string, string> = {
  'disk-full': 'the disk of the server is full',
  'disk-slow': 'the disk of the server is slow',
  'disk-error': 'the disk of the server does not work',
  'nothing-came': 'nothing was sent',
};

const reasonOf = (why: string): string => reasons[why] ?? why;

/** What is to be told of a change; empty: nothing. */
export function recordingNews(before: RecordingInfo | undefined, now: RecordingInfo | undefined): string {
  const who = now?.byName || 'the server';
  switch (now && now.state !== before?.state && now.state) {
    case 'recording':
      return before?.id === now?.id ? 'The recording goes on.' : `The call is being recorded by ${who}.`;
    case 'waiting':
      return `The recording waits: ${reasonOf(now?.why ?? '')}.`;
    case 'ending':
      return 'The recording has ended.';
    case 'saved':
      return before?.id === now?.id ? 'The recording is saved.' : '';
    case 'failed':
      return before?.id === now?.id ? `The recording was not completed: ${reasonOf(now?.why ?? '')}.` : '';
    default:
      return '';
  }
}
