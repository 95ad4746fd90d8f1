// What the page and its worker say to each other about files that are streamed. Keys are given by the page.

import type { FileStreamState, FileStreamTrack, FileStreamWhy, FileTrackLeftOut } from './api';

export interface FileFacts {
  /** ms; 0: not known. */
  duration: number;
  tracks: FileStreamTrack[];
  leftOut: FileTrackLeftOut[];
}

export type FilesToWorker =
  | { do: 'stream-file'; key: number; file: Blob; id: string; loop: boolean }
  | { do: 'control-file'; key: number; what: 'pause' | 'resume' | 'stop' };

export type FilesToPage =
  | { is: 'file-opened'; key: number; facts: FileFacts }
  /** position: ms. */
  | { is: 'file-at'; key: number; state: FileStreamState; position: number; why?: FileStreamWhy };
