// Files that are streamed, on the side of the page: what the worker tells, as an application sees it.

import { Emitter } from '../emitter';
import { FileStreamError } from './api';
import type { FileStream, FileStreamState, FileStreamTrack, FileStreamWhy, FileTrackLeftOut, StreamFileOptions } from './api';
import type { FileFacts, FilesToPage, FilesToWorker } from './bridge';

type Post = (message: FilesToWorker) => void;
type At = Omit<Extract<FilesToPage, { is: 'file-at' }>, 'is' | 'key'>;

const CLOSED: FileStreamWhy = { code: 'closed', text: 'the room is closed' };

class RoomFile implements FileStream {
  state: FileStreamState = 'playing';
  why: FileStreamWhy | undefined;
  readonly duration: number;
  readonly tracks: readonly FileStreamTrack[];
  readonly leftOut: readonly FileTrackLeftOut[];
  /** Where it was when that was heard. */
  private heard = { position: 0, at: performance.now() };
  private readonly events = new Emitter<{ change: FileStream }>();

  constructor(
    readonly id: string,
    { duration, tracks, leftOut }: FileFacts,
    private readonly control: (what: 'pause' | 'resume' | 'stop') => void,
  ) {
    this.duration = duration;
    this.tracks = tracks;
    this.leftOut = leftOut;
  }

  get position(): number {
    const { position, at } = this.heard;
    return this.state === 'playing' ? Math.min(position + performance.now() - at, this.duration || Infinity) : position;
  }

  on(event: 'change', handler: (stream: FileStream) => void): () => void {
    return this.events.on(event, handler);
  }

  pause(): void {
    if (this.state === 'playing') this.control('pause');
  }

  resume(): void {
    if (this.state === 'paused') this.control('resume');
  }

  stop(): void {
    if (this.state !== 'over') this.control('stop');
  }

  told({ state, position, why }: At): void {
    // A file that is over stays where it was.
    this.heard = { position: state === 'over' ? this.position : position, at: performance.now() };
    this.state = state;
    this.why = why;
    this.events.emit('change', this);
  }
}

interface Opening {
  id: string;
  resolve: (stream: FileStream) => void;
  reject: (error: FileStreamError) => void;
}

export class RoomFiles {
  private readonly opening = new Map<number, Opening>();
  private readonly streams = new Map<number, RoomFile>();
  private count = 0;

  constructor(private readonly post: Post) {}

  stream(file: Blob, { id = 'file', loop = false }: StreamFileOptions, closed: boolean): Promise<FileStream> {
    if (closed) return Promise.reject(new FileStreamError(CLOSED));
    const key = ++this.count;
    return new Promise((resolve, reject) => {
      this.opening.set(key, { id, resolve, reject });
      this.post({ do: 'stream-file', key, file, id, loop });
    });
  }

  told(message: FilesToPage): void {
    const { key } = message;
    const opening = this.opening.get(key);
    this.opening.delete(key);
    if (message.is === 'file-at') {
      if (message.state === 'over') opening?.reject(new FileStreamError(message.why ?? CLOSED));
      const stream = this.streams.get(key);
      if (message.state === 'over') this.streams.delete(key);
      return stream?.told(message);
    }
    if (!opening) return;
    const stream = new RoomFile(opening.id, message.facts, (what) => this.post({ do: 'control-file', key, what }));
    this.streams.set(key, stream);
    opening.resolve(stream);
  }

  /** The room is over. */
  close(): void {
    for (const { reject } of this.opening.values()) reject(new FileStreamError(CLOSED));
    for (const stream of this.streams.values()) stream.told({ state: 'over', position: 0, why: CLOSED });
    this.opening.clear();
    this.streams.clear();
  }
}
