// What this member publishes: announced, and brought in line with what the relay holds after every
// join. Talks control only; frames go through the uplink.

import type { TrackInfo } from '../api';
import type { Joined, Offer, Outgoing, ServerMessage, WireTrack } from '../wire/messages';
import { nowUs, wallUs } from '../session/clock';
import type { AudioFormat } from './encode-audio';
import type { VideoFormat } from './encode-layer';
import type { Size } from './picture';
import type { UplinkTrack } from './uplink';

export type Format = VideoFormat | AudioFormat;
export type Announcement = Pick<TrackInfo, 'id' | 'kind' | 'source' | 'codec'>;

export interface Publisher {
  /** Whether a key frame can be made when one is asked for. */
  readonly keyOnRequest: boolean;
  /** Of each layer, the smallest first. */
  readonly uplinks: readonly UplinkTrack[];
  /** Their sizes, as far as they are known. */
  readonly sizes: readonly Size[];
  /** Which of them there is room for. */
  readonly room: readonly boolean[];
  /** The next frame shall be a key frame, of one layer, or of all. */
  forceKey(layer?: number): void;
  /** Somebody takes these layers. */
  wanted(layers: readonly boolean[]): void;
  /** The relay took the track. */
  accepted(): void;
  /** The relay does not take the track. */
  refused(code: string, text: string): void;
}

interface Entry {
  announcement: Announcement;
  publisher: Publisher;
  /** Known once something was encoded. */
  format: Format | undefined;
  /** The format the relay was last told, the sizes of the layers, and which of them are made. */
  told: string;
  sizes: string;
  room: string;
  muted: boolean;
  req: number;
}

export interface PublicationsHost {
  /** Sends a control message; false when there is no link now. */
  send(message: Outgoing): boolean;
  sendBinary(data: Uint8Array): void;
  nextReq(): number;
}

const ALL = 'all';

export class Publications {
  private entries = new Map<string, Entry>();
  /** Whether the relay knows layers. */
  layered = false;

  constructor(private readonly host: PublicationsHost) {}

  add(announcement: Announcement, publisher: Publisher): void {
    this.entries.set(announcement.id, { announcement, publisher, format: undefined, told: '', sizes: '', room: '', muted: false, req: 0 });
  }

  /** What the encoder makes is known, or changed. */
  setFormat(id: string, format: Format): void {
    const entry = this.entries.get(id);
    if (!entry) return;
    entry.format = format;
    if (aliased(entry)) this.configure(entry);
    else if (entry.req === 0) this.publish([entry]);
  }

  mute(id: string, muted: boolean): void {
    const entry = this.entries.get(id);
    if (!entry || entry.muted === muted) return;
    entry.muted = muted;
    if (aliased(entry)) this.host.send({ type: 'mute', track: id, muted });
  }

  isMuted(id: string): boolean {
    return this.entries.get(id)?.muted ?? false;
  }

  /** Takes the track back. */
  remove(id: string): void {
    const entry = this.entries.get(id);
    this.entries.delete(id);
    if (!entry) return;
    for (const uplink of entry.publisher.uplinks) {
      const abandoned = uplink.hush();
      if (abandoned) this.host.sendBinary(abandoned);
    }
    if (entry.req || aliased(entry)) this.host.send({ type: 'unpublish', track: id });
  }

  /** One's own tracks as others see them. */
  tracks(): TrackInfo[] {
    return [...this.entries.values()].flatMap(({ announcement, format, muted }) => {
      if (!format) return [];
      const size = 'width' in format ? { width: format.width ?? 0, height: format.height ?? 0 } : {};
      return [{ ...announcement, muted, ...size }];
    });
  }

  /** All tracks that can be announced, for a join. */
  offers(): Offer[] {
    return [...this.entries.values()].flatMap((entry) => {
      return entry.format ? [this.offer(entry, entry.format)] : [];
    });
  }

  private offer({ announcement, publisher, muted }: Entry, format: Format): Offer {
    const { sizes } = publisher;
    const layers = this.layered && sizes.length > 1 ? { ...sizes.at(-1), layers: [...sizes] } : {};
    return { ...announcement, ...format, ...layers, muted, clock: { us: nowUs(), wallUs: wallUs() }, keyOnRequest: publisher.keyOnRequest };
  }

  private publish(entries: Entry[]): void {
    for (const entry of entries) {
      if (!entry.format) continue;
      const req = this.host.nextReq();
      const sent = this.host.send({ type: 'publish', req, tracks: [this.offer(entry, entry.format)] });
      entry.req = sent ? req : 0;
    }
  }

  private configure(entry: Entry): void {
    const told = JSON.stringify(entry.format);
    if (!entry.format || entry.told === told) return;
    entry.told = told;
    const { sizes } = entry.publisher;
    const others = entry.sizes !== '' && entry.sizes !== JSON.stringify(sizes);
    if (others) entry.sizes = JSON.stringify(sizes);
    this.host.send({ type: 'configure', track: entry.announcement.id, ...entry.format, ...(others && { layers: [...sizes] }) });
  }

  /** The layers that there is room for may be others than before. */
  encoding(id: string): void {
    const entry = this.entries.get(id);
    if (!entry || entry.publisher.uplinks.filter(({ alias }) => alias).length < 2) return;
    const layers = [...entry.publisher.room];
    if (entry.room === layers.join()) return;
    entry.room = layers.join();
    this.host.send({ type: 'encoding', track: id, layers });
  }

  /** The link is gone: nothing has an alias until the next join tells it. */
  lost(): void {
    for (const entry of this.entries.values()) entry.req = 0;
  }

  /** In the room: what the relay holds of us and what we publish are made the same. */
  reconcile(joined: Joined): void {
    const held = new Map(joined.self.tracks.map((t) => [t.id, t] as const));
    for (const id of held.keys()) if (!this.entries.has(id)) this.host.send({ type: 'unpublish', track: id });
    for (const [id, entry] of this.entries) {
      const track = held.get(id);
      if (track) this.confirmed(entry, track, '');
      else this.publish([entry]);
    }
  }

  /** room: of which layers the relay thinks that they are made, '' where that is not known. */
  private confirmed(entry: Entry, track: WireTrack, room: string): void {
    const { uplinks, sizes } = entry.publisher;
    // A relay that does not know layers gives the best one an alias.
    const less = uplinks.length - track.layers.length;
    uplinks.forEach((uplink, i) => (uplink.alias = track.layers[i - less]?.alias ?? 0));
    entry.req = 0;
    if (!aliased(entry)) return;
    entry.sizes = less === 0 && uplinks.length > 1 ? JSON.stringify(sizes) : '';
    entry.room = room === ALL ? uplinks.map(() => true).join() : room;
    entry.told = entry.format && sameFormat(entry.format, track) ? JSON.stringify(entry.format) : '';
    this.configure(entry);
    if (track.muted !== entry.muted) this.host.send({ type: 'mute', track: track.id, muted: entry.muted });
    entry.publisher.accepted();
    uplinks.forEach(({ gated }, i) => gated && entry.publisher.forceKey(i));
    this.encoding(track.id);
  }

  /** Takes a message about own tracks; false when it is about something else. */
  apply(message: ServerMessage): boolean {
    switch (message.type) {
      case 'published':
        for (const track of message.tracks) {
          const entry = this.entries.get(track.id);
          if (entry && entry.req === message.req) this.confirmed(entry, track, ALL);
        }
        return true;
      case 'feedback':
        if (message.keyframe) this.entries.get(message.track)?.publisher.forceKey(message.layer);
        return true;
      case 'wanted':
        this.entries.get(message.track)?.publisher.wanted(message.layers);
        return true;
      case 'error':
        return this.failed(message.req, message.code, message.text);
      default:
        return false;
    }
  }

  private failed(req: number, code: string, text: string): boolean {
    const entry = [...this.entries.values()].find((e) => req !== 0 && e.req === req);
    if (!entry) return false;
    this.entries.delete(entry.announcement.id);
    entry.publisher.refused(code, text);
    return true;
  }
}

/** Whether the relay has given the track, which is its best layer, an alias. */
function aliased({ publisher }: Entry): boolean {
  return (publisher.uplinks.at(-1)?.alias ?? 0) > 0;
}

/** Whether the relay holds the format that the encoder makes; absent and zero are the same. */
function sameFormat(format: Format, track: WireTrack): boolean {
  const mine: Partial<WireTrack> = { config: '', width: 0, height: 0, sampleRate: 0, channels: 0, ...(format as Partial<WireTrack>) };
  const plain = (['codecString', 'config', 'width', 'height', 'sampleRate', 'channels'] as const).every((k) => mine[k] === track[k]);
  const colour = (c: WireTrack['colour']): string => [c?.primaries, c?.transfer, c?.matrix, c?.fullRange].join();
  return plain && colour(mine.colour) === colour(track.colour);
}
