// What is said of a file that is streamed: why it is not, what to do, and what of it is missing.

import { FileStreamError } from '../../sdk/api';
import type { FileStreamTrack, FileStreamWhy, FileTrackLeftOut } from '../../sdk';
import { shortName } from './file-words';

const CONVERT = 'Convert it to WebM, or to MP4 with H.264 and AAC, then choose that.';

const NOUNS = { audio: 'sound', video: 'picture' } as const;

/** Why a file cannot be streamed, or broke off: what happened, why, what to do. */
export function filmProblem(name: string, error: unknown): string {
  const { code, text } = error instanceof FileStreamError ? { code: error.code, text: error.message } : whyOf(error);
  const what = `“${shortName(name)}” cannot be streamed`;
  switch (code) {
    case 'empty':
      return `${what}: the file is empty. Was it copied or downloaded whole?`;
    case 'unknown-container':
      return `${what}: it is no video or sound file of a kind that browsers read. ${CONVERT}`;
    case 'no-tracks':
      return `${what}: there is neither sound nor a picture in it. Choose another file.`;
    case 'protected':
      return `${what}: it is copy-protected, and only its own player may open it. Choose a file without protection.`;
    case 'cannot-decode':
      return `${what}: ${text}. ${CONVERT}`;
    case 'unreadable':
      return `${what}: it could not be read. If it was moved, changed or is damaged, choose it again or take another copy.`;
    case 'not-loaded':
      return `${what}: a part of this page could not be loaded. Look at your connection, then choose the file again.`;
    case 'no-grant':
      return `${what}: your invitation does not let you send anything. Ask who runs the server for one that does.`;
    case 'too-many-tracks':
      return `${what}: you send as much as the server takes. Stop something else, then choose the file again.`;
    default:
      return `${what}: ${text || code}.`;
  }
}

function whyOf(error: unknown): FileStreamWhy {
  const { code = 'unknown', text = String(error) } = (error ?? {}) as Partial<FileStreamWhy>;
  return { code, text };
}

/** What others do not get of a file of which they get the rest; empty: nothing is missing. */
export function missingText(tracks: readonly FileStreamTrack[], leftOut: readonly FileTrackLeftOut[]): string {
  const [first] = leftOut;
  if (!first) return '';
  const why = first.code === 'protected' ? 'is copy-protected' : `is in a format that this browser does not decode${first.codec && ` (${first.codec})`}`;
  const sent = tracks[0] && NOUNS[tracks[0].kind];
  return `Its ${NOUNS[first.kind]} ${why}: only the ${sent} is streamed.`;
}
