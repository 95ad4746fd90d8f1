// Files that are streamed, in the worker: opens them, publishes their tracks, and tells the page how they do.

import type { ToPage } from '../bridge';
import type { Sending } from '../send/sending';
import { FileStreamError } from './api';
import type { FileStreamWhy } from './api';
import type { FilesToWorker } from './bridge';
import type { MediaFile, MediaTrack } from './media-file';
import { Playing } from './playing';
import type { Outlet } from './playing';

type Reader = typeof import('./media-file');

interface Streamed {
  /** Ids of its tracks. */
  ids: string[];
  /** Not there while the file is being opened. */
  playing: Playing | undefined;
}

const STOPPED: FileStreamWhy = { code: 'stopped', text: '' };

export class Files {
  private readonly streams = new Map<number, Streamed>();

  constructor(
    private readonly sending: Sending,
    private readonly post: (message: ToPage) => void,
  ) {}

  handle(message: FilesToWorker): void {
    if (message.do === 'stream-file') return void this.open(message);
    const { key, what } = message;
    if (what === 'stop') return this.end(key, STOPPED);
    this.streams.get(key)?.playing?.[what]();
  }

  close(): void {
    for (const key of [...this.streams.keys()]) this.end(key, { code: 'closed', text: 'the room is closed' });
  }

  private async open({ key, file, id, loop }: Extract<FilesToWorker, { do: 'stream-file' }>): Promise<void> {
    const streamed: Streamed = { ids: [], playing: undefined };
    this.streams.set(key, streamed);
    try {
      const reader = await load();
      const media = await reader.openFile(file);
      // Stopped meanwhile.
      if (this.streams.get(key) !== streamed) return media.close();
      this.begin(key, streamed, media, id, loop, reader);
    } catch (error) {
      const { code, message } = error instanceof FileStreamError ? error : new FileStreamError({ code: 'unreadable', text: String(error) });
      this.end(key, { code, text: message });
    }
  }

  private begin(key: number, streamed: Streamed, media: MediaFile, id: string, loop: boolean, reader: Reader): void {
    const { duration, tracks, leftOut } = media;
    const ids = tracks.map(({ kind }) => (kind === 'video' ? id : `${id}-audio`));
    const taken = ids.find((id) => this.sending.publishes(id));
    if (taken !== undefined) {
      media.close();
      throw new FileStreamError({ code: 'track-exists', text: `${taken} is published already` });
    }
    streamed.ids = ids;
    const outlets = tracks.map((track, i) => this.publish(key, track, ids[i]!));
    const facts = { duration: duration / 1000, tracks: tracks.map(({ kind, codec, carried }) => ({ kind, codec, untouched: carried !== undefined })), leftOut };
    this.post({ is: 'file-opened', key, facts });
    streamed.playing = new Playing(media, outlets, loop, {
      at: (paused, position) => this.post({ is: 'file-at', key, state: paused ? 'paused' : 'playing', position: position / 1000 }),
      over: (why) => this.end(key, why),
      faultOf: (error) => {
        const { code, message } = reader.faultOf(error);
        return { code, text: message };
      },
    });
  }

  private publish(key: number, { kind, carried }: MediaTrack, id: string): Outlet {
    const { sending } = this;
    sending.publishFile(id, kind, carried, (why) => this.end(key, why));
    return {
      frame: (frame) => sending.frame(id, frame),
      decoded: (data, clock) => sending.decoded(id, data, clock),
      get waiting() {
        return sending.waits(id);
      },
    };
  }

  private end(key: number, why: FileStreamWhy): void {
    const streamed = this.streams.get(key);
    if (!streamed) return;
    this.streams.delete(key);
    streamed.playing?.close();
    for (const id of streamed.ids) this.sending.unpublish(id);
    this.post({ is: 'file-at', key, state: 'over', position: 0, why });
  }
}

async function load(): Promise<Reader> {
  try {
    return await import('./media-file');
  } catch {
    throw new FileStreamError({ code: 'not-loaded', text: 'what reads files could not be loaded' });
  }
}
