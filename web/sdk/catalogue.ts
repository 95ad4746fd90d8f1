// The recordings that the relay keeps, as an application sees them.

/** A recording as the relay keeps it. */
export interface RecordingEntry {
  id: string;
  room: string;
  /** Of a file that was added; empty: it was recorded. */
  title: string;
  /** As RecordingInfo has it. */
  state: string;
  why: string;
  byName: string;
  /** ms since 1970. */
  began: number;
  /** ms, of all files. */
  length: number;
  bytes: number;
  /** Names of its files. */
  files: readonly { name: string; bytes: number }[];
}

/** Thrown by what is in Room.recordings: status is that of HTTP, 0 where the relay was not reached. */
export class RecordingsError extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(text);
    this.name = 'RecordingsError';
    this.status = status;
  }
}

export interface AddOptions {
  /** How much of it is made into WebM, 0 to 1; not called where nothing needs to be. */
  made?: (part: number) => void;
  /** Bytes that have gone, of how many. */
  sent?: (bytes: number, size: number) => void;
  signal?: AbortSignal;
}

/** The recordings that the relay keeps of a room, for members who may record. Everything rejects with a RecordingsError. */
export interface Recordings {
  /** The newest first. */
  list(): Promise<RecordingEntry[]>;
  /** Has the relay play one into the room, in place of what is played there. position: where to begin, ms. */
  play(id: string, options?: { position?: number; paused?: boolean; loop?: boolean; next?: readonly string[] }): Promise<void>;
  /** Changes what is played; position is that of the key frame before, next what is played behind it, and skip goes to the first of that. What is left out stays. */
  change(what: { playing?: boolean; position?: number; loop?: boolean; next?: readonly string[]; skip?: boolean }): Promise<void>;
  stop(): Promise<void>;
  remove(id: string): Promise<void>;
  /** Keeps a media file as a recording, and gives its id. What is not WebM or Matroska is made into WebM in the page before. Rejects with an AbortError where signal says so. */
  add(file: Blob, title: string, options?: AddOptions): Promise<string>;
  /** A picture of one, decoded in the page where the relay has none in VP8; undefined where there is none to be had. */
  still(id: string): Promise<Blob | undefined>;
  /** A file of one, from 1 on. Held in memory: see RecordingEntry.files for how much that is. */
  download(id: string, part: number, progress?: (bytes: number) => void): Promise<Blob>;
}
