// A local file that is played into the room, as an application sees it.

/** playing, paused, or over: see why. */
export type FileStreamState = 'playing' | 'paused' | 'over';

/**
 * Why a file is not streamed, or not any more. Codes: 'finished' (all of it was sent), 'stopped' (by this side), 'closed' (the room is
 * over), 'empty', 'unknown-container', 'no-tracks' (neither sound nor pictures are in it), 'protected' (encrypted against copying),
 * 'cannot-decode' (this browser knows no codec of it), 'unreadable' (it is damaged, or was changed or taken away meanwhile),
 * 'not-loaded' (what reads files could not be fetched from the server), 'encoder', and those of docs/protocol.md section 12.
 */
export interface FileStreamWhy {
  code: string;
  text: string;
}

/** A track of the file that others receive. */
export interface FileStreamTrack {
  kind: 'audio' | 'video';
  /** Of the file, such as 'vp8', 'aac'. */
  codec: string;
  /** Its frames go as they are; else they are decoded here and encoded again, as VP8 or Opus. */
  untouched: boolean;
}

/** A track of the file that is not sent. codec: empty where it is not known. */
export interface FileTrackLeftOut {
  kind: 'audio' | 'video';
  codec: string;
  code: 'protected' | 'cannot-decode';
}

export interface StreamFileOptions {
  /** The id of its picture as a track, by default 'file'; that of its sound has '-audio' behind it. */
  id?: string;
  /** Begins again when it is over. */
  loop?: boolean;
}

/**
 * A file that is being streamed: its first video and audio tracks, at the pace of its timestamps, each member at the same time.
 *
 *     const film = await room.streamFile(input.files[0]);
 *     film.on('change', () => console.log(film.state, film.position / film.duration, film.why?.code));
 *     pause.onclick = () => film.pause();
 */
export interface FileStream {
  readonly id: string;
  readonly state: FileStreamState;
  /** Why it is over. */
  readonly why: FileStreamWhy | undefined;
  /** Where in the file it is, ms. */
  readonly position: number;
  /** ms; 0 where the file does not tell. */
  readonly duration: number;
  readonly tracks: readonly FileStreamTrack[];
  readonly leftOut: readonly FileTrackLeftOut[];
  /** Told of every change of state, and twice a second of the position while it plays. */
  on(event: 'change', handler: (stream: FileStream) => void): () => void;
  /** The picture stands still, and nothing is heard. */
  pause(): void;
  resume(): void;
  /** Takes its tracks back. */
  stop(): void;
}

/** Thrown by streamFile: code as in FileStreamWhy. */
export class FileStreamError extends Error {
  readonly code: string;
  constructor({ code, text }: FileStreamWhy) {
    super(text);
    this.name = 'FileStreamError';
    this.code = code;
  }
}
