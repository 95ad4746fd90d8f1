// What the page and the worker of a recording say to each other.

import type { CloseReason, RoomState } from '../api';

/** Addresses of bytes: the file by its place among the files. */
export type ToViewer =
  | { do: 'open'; url: string; id: string; token: string }
  | { do: 'read'; call: number; file: number; start: number; end: number }
  | { do: 'stop'; file: number }
  | { do: 'network' }
  | { do: 'close' };

export interface FileInfo {
  name: string;
  size: number;
  type: string;
}

export type FromViewer =
  | { is: 'state'; state: RoomState; reason?: CloseReason }
  /** The resume token that is good now. */
  | { is: 'resume'; token: string }
  /** All of them, once. */
  | { is: 'files'; files: FileInfo[] }
  | { is: 'bytes'; call: number; bytes: Uint8Array<ArrayBuffer> }
  | { is: 'failed'; call: number; code: string; text: string };
