// What is said of recordings and of what is played.

import { RecordingsError } from '../../sdk/api';
import type { PlaybackInfo, RecordingEntry } from '../../sdk';
import { percent, progressText, sizeText } from './file-words';
import type { Adding } from './recordings';

/** "0:07", "12:40", "1:02:03". */
export function timeText(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const two = (n: number): string => String(n % 60).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${two(seconds)}` : `${Math.floor(minutes / 60)}:${two(minutes)}:${two(seconds)}`;
}

const ID = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-/;

/** When a recording was begun, by its id, which has it in UTC: "28 Nov 2026, 20:00"; the id itself where it has another form. */
export function whenOf(id: string, locale?: string): string {
  const [, year, month, day, hour, minute, second] = ID.exec(id) ?? [];
  if (year === undefined) return id;
  const at = Date.UTC(+year, +month! - 1, +day!, +hour!, +minute!, +second!);
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' }).format(at);
}

/** What a recording is called: the title of a file that was added, or when it was begun. */
export const nameOf = ({ id, title }: Pick<RecordingEntry, 'id' | 'title'>): string => title || whenOf(id);

/** What is played. */
export const playedOf = ({ recording, title }: PlaybackInfo): string => title || `Recording of ${whenOf(recording)}`;

/** What stands behind the date: "3:40, 12 MB, by Ann", or how one does that is not there yet. */
export function detailOf({ state, length, bytes, byName }: RecordingEntry): string {
  switch (state) {
    case 'saved':
      return [timeText(length), sizeText(bytes), byName && `by ${byName}`].filter(Boolean).join(', ');
    case 'recording':
    case 'waiting':
      return 'is being recorded';
    case 'ending':
      return 'is being completed';
    default:
      return 'could not be completed';
  }
}

/** How far a file is that is being added. */
export function addingText({ made, size, sent }: Adding): string {
  if (made < 1) return `is converted, ${percent(made, 1)} %`;
  return sent < size ? progressText(sent, size) : 'the server looks at it…';
}

/** How much is played behind it. */
export const nextText = (n: number): string => (n === 1 ? 'then one more' : `then ${n} more`);

/** Where what is played is, of how much. */
export const positionText = (position: number, length: number): string => `${timeText(position)} of ${timeText(length)}`;

/** What is to be told of a change; empty: nothing. */
export function playbackNews(before: PlaybackInfo | undefined, now: PlaybackInfo | undefined): string {
  const what = now?.title ? `“${now.title}”` : `the recording of ${now && whenOf(now.recording)}`;
  if (now && now.recording !== before?.recording) return now.byName ? `${now.byName} plays ${what} for everyone.` : `For everyone: ${what}.`;
  return before && !now ? 'The recording is not played any more.' : '';
}

/** Why something did not come about, and what to do. */
export function recordingProblem(error: unknown): string {
  if (!(error instanceof RecordingsError)) return String(error);
  switch (error.status) {
    case 0:
      return `It did not work: ${error.message}. Look at your connection, then try again.`;
    case 401:
    case 403:
      return `The server does not let you: ${error.message}. Ask who runs it for a link that lets you record.`;
    default:
      return `The server says: ${error.message}.`;
  }
}
