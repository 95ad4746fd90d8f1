// What is said of a recording that is watched alone.

import type { RecordedPicture, RecordedVoice } from '../../sdk/recording';
import { screenOf } from '../labels';
import { problemOf, type Problem } from '../problems';
import { nameOf } from '../call/playback-words';

/** What the page is called: the title of a file that was added, or when it was recorded and where. */
export function headingOf(id: string, about: { title: string; room: string } | undefined): { title: string; room: string } {
  const title = about?.title ?? '';
  const when = nameOf({ id, title });
  return { title: title || when === id ? when : `Recording of ${when}`, room: about?.room ?? '' };
}

type Row = Omit<Problem, 'wait'>;

const invitation = 'Ask the person who sent you here for a new link. Links of this server carry a personal token after the #.';
const damaged = 'Download it instead, or tell whoever runs the server.';

const rows: Record<string, Row> = {
  'bad-token': { title: 'You need an invitation', why: 'The server shows recordings only to people with a valid token, and there was none, or a damaged one.',
    advice: invitation, remedy: 'again' },
  'token-expired': { title: 'Your invitation has expired', why: 'The token in your link is no longer valid, or not yet.', advice: invitation, remedy: 'again' },
  forbidden: { title: 'You may not watch this', why: 'Your token does not let you see the recordings of this room. Without keys only the server’s own machine may.',
    advice: 'Ask who runs the server for a link that lets you record in this room.', remedy: 'again' },
  overloaded: { title: 'Too many people watch recordings now', why: 'The server lends as many files as it can at a time.',
    advice: 'Wait a little, then try again.', remedy: 'again' },
  unreachable: { title: 'The server does not answer', why: 'No connection to the server could be made, or it was lost and did not come back.',
    advice: 'Check that you are online. If you are, the server may be down for a moment.', remedy: 'again' },
  failed: { title: 'The server cannot read this recording', why: 'Its disk did not give the file.', advice: 'Try again. If it happens again, tell whoever runs the server.', remedy: 'again' },
  'bad-file': { title: 'This recording cannot be played here', why: 'Its file is damaged, or was not made by this version of the server.', advice: damaged, remedy: 'again' },
  'unsupported-browser': { title: 'This browser cannot play recordings', why: 'It lacks the parts that decode sound and pictures (WebCodecs).',
    advice: 'Open the link in a current Chrome, Edge, Firefox or Safari.', remedy: 'again' },
  left: { title: 'You went elsewhere', why: 'This page let go of the recording when you left it.', advice: 'Go on where you were.', remedy: 'again' },
};

/** The words for why there is nothing to see. */
export function watchProblem(code: string, text: string): Row {
  const row = rows[code];
  if (row) return row;
  const { title, why, advice, remedy } = problemOf(code, text);
  return { title: title === 'The call ended unexpectedly' ? 'It cannot be played' : title, why, advice, remedy: remedy === 'reload' ? 'reload' : 'again' };
}

/** What a person or a screen in the picture is called. */
export const pictureName = ({ name, track }: Pick<RecordedPicture, 'name' | 'track'>): string => (track.startsWith('screen') ? screenOf(name) : name);

/** Those who are heard, and have no picture of their own; each once. */
export function heardOnly(pictures: readonly RecordedPicture[], voices: readonly RecordedVoice[]): RecordedVoice[] {
  const seen = new Set(pictures.filter(({ track }) => !track.startsWith('screen')).map(({ name }) => name));
  return voices.filter(({ name, track }) => !track.startsWith('screen') && !seen.has(name) && seen.add(name));
}

const codecs: Record<string, string> = { vp8: 'VP8', vp9: 'VP9', av1: 'AV1', h264: 'H.264' };

export const brokenWords = (codec: string): string => `This browser cannot show ${codecs[codec] ?? codec}. Try another one, or download it.`;
