// The file that this page streams to everybody, if any.

import type { FileStream, Room } from '../../sdk';
import { Store } from '../store';
import { filmProblem, missingText } from './film-words';

export interface FilmState {
  /** A file is being opened. */
  opening: boolean;
  /** The file that is streamed; undefined: none. */
  on: Playing | undefined;
}

interface Playing {
  name: string;
  /** Address under which this page itself can play it. */
  address: string;
  stream: FileStream;
  picture: boolean;
  /** Whether it is to be heard here. */
  heard: boolean;
}

export interface FilmEvents {
  /** What is to be read out. */
  said(news: string): void;
  failed(text: string): void;
}

export class Film {
  readonly store = new Store<FilmState>({ opening: false, on: undefined });
  private closed = false;

  constructor(
    private readonly room: Pick<Room, 'streamFile'>,
    private readonly events: FilmEvents,
  ) {}

  /** Streams a file, in place of the one that is streamed. */
  async play(file: File): Promise<void> {
    if (this.store.get().opening) return;
    this.stop();
    this.store.set({ opening: true });
    try {
      this.begun(file, await this.room.streamFile(file));
    } catch (error) {
      if (!this.closed) this.events.failed(filmProblem(file.name, error));
    }
    this.store.set({ opening: false });
  }

  private begun(file: File, stream: FileStream): void {
    if (this.closed) return stream.stop();
    const on = { name: file.name, address: URL.createObjectURL(file), stream, picture: stream.tracks.some(({ kind }) => kind === 'video'), heard: true };
    this.store.set({ on });
    stream.on('change', () => this.changed(file.name, stream));
    this.events.said(`${file.name} is streamed to everyone.`);
    const missing = missingText(stream.tracks, stream.leftOut);
    if (missing) this.events.failed(missing);
  }

  private changed(name: string, stream: FileStream): void {
    const { on } = this.store.get();
    if (on?.stream !== stream) return;
    if (stream.state !== 'over') return this.store.set({ on: { ...on } });
    this.forget();
    const { code } = stream.why ?? {};
    if (code === 'finished') this.events.said(`${name} is over.`);
    else if (code !== 'stopped' && code !== 'closed' && !this.closed) this.events.failed(filmProblem(name, stream.why));
  }

  toggle(): void {
    const stream = this.store.get().on?.stream;
    if (stream?.state === 'paused') stream.resume();
    else stream?.pause();
  }

  /** Whether it is to be heard here; the others hear it in any case. */
  hear(heard: boolean): void {
    const { on } = this.store.get();
    if (on) this.store.set({ on: { ...on, heard } });
  }

  stop(): void {
    this.store.get().on?.stream.stop();
    this.forget();
  }

  close(): void {
    this.closed = true;
    this.stop();
  }

  private forget(): void {
    const { on } = this.store.get();
    if (!on) return;
    URL.revokeObjectURL(on.address);
    this.store.set({ on: undefined });
  }
}
