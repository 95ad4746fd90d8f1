import type { Room, TrackInfo } from '../../sdk';
import type { MediaState } from '../media/media';

interface Wish {
  id: string;
  source: TrackInfo['source'];
  track: MediaStreamTrack;
  muted: boolean;
}

/** What should be published now. A camera that is off is not there at all; a muted microphone is. */
export function wishes(media: MediaState): Wish[] {
  const list: Wish[] = [];
  const add = (id: string, source: TrackInfo['source'], track: MediaStreamTrack | undefined, muted = false) => {
    if (track) list.push({ id, source, track, muted });
  };
  add('mic', 'mic', media.mic.track, !media.mic.wanted);
  add('camera', 'camera', media.camera.wanted ? media.camera.track : undefined);
  add('screen', 'screen', media.screen);
  add('screen-audio', 'screen-audio', media.screenAudio);
  return list;
}

/** The same, as the roster would have it: what this page shows of itself does not wait for the server. */
export function ownTracks(media: MediaState): TrackInfo[] {
  return wishes(media).map(({ id, source, track, muted }) => {
    const { width, height } = track.getSettings();
    const kind = track.kind === 'video' ? 'video' : 'audio';
    return { id, kind, source, codec: '', muted, ...(width && height && { width, height }) };
  });
}

/**
 * Keeps what a room publishes equal to what this page's devices are. Publishing takes time (a worker, a round trip), so
 * each track id has its own chain of steps: a camera switched on and off quickly ends off.
 */
export class Uplink {
  private readonly published = new Map<string, { track: MediaStreamTrack; muted: boolean }>();
  private readonly chains = new Map<string, Promise<void>>();
  /** What the room has indeed been given; the steps may lag behind what is published as seen from outside. */
  private readonly live = new Set<string>();

  constructor(
    private readonly room: Pick<Room, 'publish' | 'unpublish' | 'mute'>,
    private readonly failed: (id: string, error: unknown) => void,
  ) {}

  /** Brings the room in line with the devices. */
  sync(media: MediaState): void {
    const wanted = new Map(wishes(media).map((wish) => [wish.id, wish]));
    for (const [id, { track }] of [...this.published]) {
      if (wanted.get(id)?.track !== track) this.withdraw(id);
    }
    for (const wish of wanted.values()) {
      const known = this.published.get(wish.id);
      if (!known) this.offer(wish);
      else if (known.muted !== wish.muted) this.mute(wish.id, wish.muted);
    }
  }

  private offer({ id, source, track, muted }: Wish): void {
    this.published.set(id, { track, muted: false });
    this.then(id, async () => {
      // Withdrawn before its turn came: never offered.
      if (this.published.get(id)?.track !== track) return;
      this.live.add(id);
      try {
        await this.room.publish(id, source, track);
      } catch (error) {
        this.live.delete(id);
        // Of a track that is not wanted any more nobody needs to hear.
        if (this.published.get(id)?.track === track) throw error;
      }
    });
    if (muted) this.mute(id, true);
  }

  private withdraw(id: string): void {
    this.published.delete(id);
    this.then(id, () => {
      if (this.live.delete(id)) this.room.unpublish(id);
    });
  }

  private mute(id: string, muted: boolean): void {
    const known = this.published.get(id);
    if (known) known.muted = muted;
    this.then(id, () => {
      if (this.live.has(id)) this.room.mute(id, muted);
    });
  }

  private then(id: string, step: () => void | Promise<void>): void {
    const chain = (this.chains.get(id) ?? Promise.resolve()).then(step).catch((error: unknown) => this.failed(id, error));
    this.chains.set(id, chain);
  }
}
