// The recordings of the room, as the panel shows them.

import { RecordingsError } from '../../sdk/api';
import type { RecordingEntry, Recordings } from '../../sdk';
import { Store } from '../store';
import { sizeText } from './file-words';
import { recordingProblem } from './playback-words';

export interface RecordingLine extends RecordingEntry {
  /** Address of its picture; undefined: there is none, or not yet. */
  still: string | undefined;
  /** Bytes of it that have come; undefined: it is not being downloaded. */
  downloaded: number | undefined;
}

/** A file that is being added: made into WebM where need be, then sent. */
export interface Adding {
  name: string;
  /** How much of it is made, 0 to 1; 1 also where nothing needs to be. */
  made: number;
  /** Bytes that are to be sent, and were. */
  size: number;
  sent: number;
}

export interface RecordingsState {
  /** undefined: not known yet. */
  lines: readonly RecordingLine[] | undefined;
  /** Why they are not known. */
  problem: string;
  /** A file that is being added; undefined: none is. */
  adding: Adding | undefined;
}

/** A page holds a download in memory until it is whole. */
export const MAX_DOWNLOAD = 1 << 30;

/** How a file is given to the person who wants it. */
export type Save = (file: Blob, name: string) => void;

const MOST_TITLE = 64;

/** A file's name without its ending, and without what a title must not have. */
export function titleOf(name: string): string {
  const clean = name.replace(/\.[^.]{1,5}$/, '').replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/gu, '');
  return [...clean.trim()].slice(0, MOST_TITLE).join('');
}

export class RecordingList {
  readonly store = new Store<RecordingsState>({ lines: undefined, problem: '', adding: undefined });
  private asked = 0;
  private stopAdding: AbortController | undefined;
  /** Addresses of pictures that were asked for. */
  private readonly stills = new Map<string, string | undefined>();

  constructor(
    private readonly recordings: Recordings,
    private readonly failed: (text: string) => void,
    private readonly save: Save,
  ) {}

  /** Asks the relay. Only the last answer counts. */
  async load(): Promise<void> {
    const asked = ++this.asked;
    try {
      const list = await this.recordings.list();
      if (asked !== this.asked) return;
      const before = new Map(this.store.get().lines?.map((line) => [line.id, line.downloaded]));
      const lines = list.map((entry) => ({ ...entry, downloaded: before.get(entry.id), still: this.stills.get(entry.id) }));
      this.store.set({ lines, problem: '' });
      this.forget(new Set(list.map(({ id }) => id)));
      await this.look(list.filter(({ state }) => state === 'saved').map(({ id }) => id));
    } catch (error) {
      if (asked === this.asked) this.store.set({ lines: undefined, problem: recordingProblem(error) });
    }
  }

  /** Asks for the pictures that were not asked for, one after another. A list without pictures is as good. */
  private async look(ids: string[]): Promise<void> {
    for (const id of ids) {
      if (this.stills.has(id)) continue;
      this.stills.set(id, undefined);
      const picture = await this.recordings.still(id).catch(() => undefined);
      if (!picture || !this.stills.has(id)) continue;
      const still = URL.createObjectURL(picture);
      this.stills.set(id, still);
      this.change(id, { still });
    }
  }

  /** Lets go of the pictures of all recordings but these. */
  private forget(kept: ReadonlySet<string>): void {
    for (const [id, still] of this.stills) {
      if (kept.has(id)) continue;
      if (still) URL.revokeObjectURL(still);
      this.stills.delete(id);
    }
  }

  /** Lets go of everything. */
  close(): void {
    this.cancelAdding();
    this.forget(new Set());
  }

  /** Keeps a file, one at a time. */
  async add(file: File): Promise<void> {
    const stop = (this.stopAdding = new AbortController());
    const came = (what: Partial<Adding>): void => this.store.set({ adding: { name: file.name, made: 1, size: file.size, sent: 0, ...what } });
    came({});
    const options = { made: (made: number) => came({ made }), sent: (sent: number, size: number) => came({ sent, size }), signal: stop.signal };
    await this.told(async () => {
      await this.recordings.add(file, titleOf(file.name), options).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
    });
    this.store.set({ adding: undefined });
    await this.load();
  }

  /** Gives up the file that is being added. */
  cancelAdding(): void {
    this.stopAdding?.abort();
  }

  play(id: string): Promise<void> {
    return this.told(() => this.recordings.play(id));
  }

  async remove(id: string): Promise<void> {
    await this.told(() => this.recordings.remove(id));
    await this.load();
  }

  /** All files of one, one after another. */
  async download({ id, bytes, files }: RecordingLine): Promise<void> {
    if (bytes > MAX_DOWNLOAD) {
      return this.failed(`It has ${sizeText(bytes)}, more than a page can hold. Take it with “landline recordings get ${id}”.`);
    }
    let before = 0;
    this.came(id, 0);
    await this.told(async () => {
      for (const [i, file] of files.entries()) {
        const blob = await this.recordings.download(id, i + 1, (n) => this.came(id, before + n));
        if (blob.size !== file.bytes) throw new RecordingsError(0, 'it was cut off');
        this.save(blob, file.name);
        before += blob.size;
      }
    });
    this.came(id, undefined);
  }

  private came(id: string, downloaded: number | undefined): void {
    this.change(id, { downloaded });
  }

  private change(id: string, what: Partial<RecordingLine>): void {
    const { lines } = this.store.get();
    this.store.set({ lines: lines?.map((line) => (line.id === id ? { ...line, ...what } : line)) });
  }

  private async told(action: () => Promise<void>): Promise<void> {
    await action().catch((error: unknown) => this.failed(recordingProblem(error)));
  }
}
