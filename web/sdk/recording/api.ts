// Watching a recording alone, at one's own pace (docs/protocol.md section 22).

import type { CloseReason } from '../api';

export interface OpenOptions {
  /** Of the recording. */
  id: string;
  token?: string;
  /** WebSocket address; by default /ws of the page's own origin. */
  url?: string;
}

/** open: its files can be read. reconnecting: the connection was lost, and reads wait until it is back. closed: over, see closeReason. */
export type RecordingState = 'open' | 'reconnecting' | 'closed';

/** One file of a recording. It comes over the WebSocket as it is read: 768 KiB ahead of that, and no further. */
export interface RecordingFile {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  /**
   * The bytes from start up to end. Reads that follow each other are the cheapest: what lies before a read is let go of, and a read of
   * what is not on its way has the relay begin there. Rejects with a JoinError, also where a later stop() or close() takes the read back.
   */
  read(start: number, end: number): Promise<Uint8Array>;
  /** Takes back the reads that wait. Nothing more of it comes until it is read again. */
  stop(): void;
}

/** What the relay tells of a recording. Times in ms. */
export interface RecordingDescription {
  id: string;
  room: string;
  /** Of a file that was added; empty: it was recorded. */
  title: string;
  /** Since 1970. */
  began: number;
  length: number;
  /** In their order. */
  files: readonly { length: number }[];
}

export interface RecordingEvents {
  state: RecordingState;
}

/** A recording that can be read. Made by openRecording(). */
export interface OpenRecording {
  readonly id: string;
  readonly state: RecordingState;
  readonly closeReason: CloseReason | undefined;
  readonly files: readonly RecordingFile[];
  on<K extends keyof RecordingEvents>(event: K, handler: (value: RecordingEvents[K]) => void): () => void;
  /** Rejects with a RecordingsError. */
  describe(): Promise<RecordingDescription>;
  /** Reads that wait are rejected. */
  close(): void;
}

/**
 * seeking: the picture of the position is on its way; it stands still there until it has come. buffering: the connection is behind. blocked:
 * the browser lets sound begin only when somebody clicks: call play() from there. failed: see RecordingPlayer.failure.
 */
export type PlayerState = 'seeking' | 'paused' | 'playing' | 'buffering' | 'blocked' | 'ended' | 'failed';

/** A picture of a recording at the position where it is. */
export interface RecordedPicture {
  /** What show() takes. */
  key: string;
  /** Display name of the member. */
  name: string;
  /** The track's id as it was in the room: 'camera', 'screen'. */
  track: string;
  codec: string;
  width: number;
  height: number;
  /** This browser cannot decode it. */
  broken: boolean;
}

/** Somebody who can be heard at the position where it is. */
export interface RecordedVoice {
  key: string;
  name: string;
  track: string;
  broken: boolean;
}
