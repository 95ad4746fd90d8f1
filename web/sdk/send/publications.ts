// What this member publishes: announced, and brought in line with what the relay holds after every
// join. Talks control only; frames go through the uplink.

import type { TrackInfo } from '../api';
import type { Joined, Offer, Outgoing, ServerMessage, WireTrack } from '../wire/messages';
import { nowUs, wallUs } from '../session/clock';
import type { AudioFormat } from './encode-audio';
import type { VideoFormat } from './encode-video';
import type { UplinkTrack } from './uplink';

export type Format = VideoFormat | AudioFormat;
export type Announcement = Pick<TrackInfo, 'id' | 'kind' | 'source' | 'codec'>;

export interface Publisher {
  readonly uplink: UplinkTrack;
  forceKey(): void;
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
  /** The format the relay was last told. */
  told: string;
  muted: boolean;
  req: number;
}

export interface PublicationsHost {
  /** Sends a control message; false when there is no link now. */
  send(message: Outgoing): boolean;
  sendBinary(data: Uint8Array): void;
  nextReq(): number;
}

export class Publications {
  private entries = new Map<string, Entry>();

  constructor(private readonly host: PublicationsHost) {}

  add(announcement: Announcement, publisher: Publisher): void {
    this.entries.set(announcement.id, { announcement, publisher, format: undefined, told: '', muted: false, req: 0 });
  }

  /** What the encoder makes is known, or changed. */
  setFormat(id: string, format: Format): void {
    const entry = this.entries.get(id);
    if (!entry) return;
    entry.format = format;
    if (entry.publisher.uplink.alias) this.configure(entry);
    else if (entry.req === 0) this.publish([entry]);
  }

  mute(id: string, muted: boolean): void {
    const entry = this.entries.get(id);
    if (!entry || entry.muted === muted) return;
    entry.muted = muted;
    if (entry.publisher.uplink.alias) this.host.send({ type: 'mute', track: id, muted });
  }

  isMuted(id: string): boolean {
    return this.entries.get(id)?.muted ?? false;
  }

  /** Takes the track back. */
  remove(id: string): void {
    const entry = this.entries.get(id);
    this.entries.delete(id);
    if (!entry) return;
    const abandoned = entry.publisher.uplink.hush();
    if (abandoned) this.host.sendBinary(abandoned);
    if (entry.req || entry.publisher.uplink.alias) this.host.send({ type: 'unpublish', track: id });
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

  private offer({ announcement, muted }: Entry, format: Format): Offer {
    return { ...announcement, ...format, muted, clock: { us: nowUs(), wallUs: wallUs() }, keyOnRequest: true };
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
    this.host.send({ type: 'configure', track: entry.announcement.id, ...entry.format });
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
      if (track) this.confirmed(entry, track);
      else this.publish([entry]);
    }
  }

  private confirmed(entry: Entry, track: WireTrack): void {
    const { uplink } = entry.publisher;
    uplink.alias = track.layers[0]?.alias ?? 0;
    entry.req = 0;
    if (!uplink.alias) return;
    entry.told = entry.format && sameFormat(entry.format, track) ? JSON.stringify(entry.format) : '';
    this.configure(entry);
    if (track.muted !== entry.muted) this.host.send({ type: 'mute', track: track.id, muted: entry.muted });
    entry.publisher.accepted();
    if (uplink.gated) entry.publisher.forceKey();
  }

  /** Takes a message about own tracks; false when it is about something else. */
  apply(message: ServerMessage): boolean {
    switch (message.type) {
      case 'published':
        for (const track of message.tracks) {
          const entry = this.entries.get(track.id);
          if (entry && entry.req === message.req) this.confirmed(entry, track);
        }
        return true;
      case 'feedback':
        if (message.keyframe) this.entries.get(message.track)?.publisher.forceKey();
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

/** Whether the relay holds the format that the encoder makes; absent and zero are the same. */
function sameFormat(format: Format, track: WireTrack): boolean {
  const mine: Partial<WireTrack> = { config: '', width: 0, height: 0, sampleRate: 0, channels: 0, ...(format as Partial<WireTrack>) };
  const plain = (['codecString', 'config', 'width', 'height', 'sampleRate', 'channels'] as const).every((k) => mine[k] === track[k]);
  const colour = (c: WireTrack['colour']): string => [c?.primaries, c?.transfer, c?.matrix, c?.fullRange].join();
  return plain && colour(mine.colour) === colour(track.colour);
}
