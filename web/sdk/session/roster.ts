// Who is in the room and what they publish, as the relay tells it. Pure: the relay's messages in,
// the changes that matter to receivers out.

import type { MemberInfo, TrackInfo } from '../api';
import type { Joined, ServerMessage, WireMember, WireTrack } from '../wire/messages';

const MAX_MEMBERS = 4_096;
const MAX_TRACKS = 64;

/** A track of another member that can be received. */
export interface RemoteTrack {
  member: string;
  track: WireTrack;
  /** Of its layers, the smallest first. */
  aliases: number[];
}

export interface RosterHandler {
  added(track: RemoteTrack): void;
  /** Its format or mute state changed. */
  updated(track: RemoteTrack): void;
  removed(track: RemoteTrack): void;
}

export class Roster {
  self: WireMember = { id: '', name: '', state: 'online', tracks: [] };
  readonly members = new Map<string, WireMember>();

  constructor(private readonly handler: RosterHandler) {}

  /** The roster as it is now, after a join or a resume: only the differences are told. */
  replace(message: Joined): void {
    this.self = message.self;
    const now = new Map(message.members.map((m) => [m.id, m] as const));
    for (const id of [...this.members.keys()]) if (!now.has(id)) this.leave(id);
    for (const member of now.values()) {
      const known = this.members.get(member.id);
      if (!known) this.enter(member);
      else {
        this.compare(known, member);
        this.members.set(member.id, { ...member });
      }
    }
  }

  /** Takes a message about members and tracks; false when it is about something else. */
  apply(message: ServerMessage): boolean {
    switch (message.type) {
      case 'memberJoined':
        this.leave(message.member.id);
        this.enter(message.member);
        return true;
      case 'memberLeft':
        this.leave(message.id);
        return true;
      case 'memberState': {
        const member = this.members.get(message.id);
        if (member) member.state = message.state;
        return true;
      }
      case 'trackAdded':
      case 'trackUpdated':
        this.change(message.member, message.track);
        return true;
      case 'trackRemoved':
        this.remove(message.member, message.track);
        return true;
      default:
        return false;
    }
  }

  private enter(member: WireMember): void {
    if (this.members.size >= MAX_MEMBERS) return;
    this.members.set(member.id, { ...member });
    for (const track of member.tracks) this.tell('added', member.id, track);
  }

  private leave(id: string): void {
    for (const track of this.members.get(id)?.tracks ?? []) this.tell('removed', id, track);
    this.members.delete(id);
  }

  private compare(before: WireMember, after: WireMember): void {
    for (const old of before.tracks) {
      const same = after.tracks.find((t) => t.id === old.id && sameStream(t, old));
      if (!same) this.tell('removed', before.id, old);
    }
    for (const track of after.tracks) {
      const old = before.tracks.find((t) => t.id === track.id && sameStream(t, track));
      this.tell(old ? 'updated' : 'added', before.id, track);
    }
  }

  private change(id: string, track: WireTrack): void {
    const member = this.members.get(id);
    if (!member) return;
    const at = member.tracks.findIndex((t) => t.id === track.id);
    const old = member.tracks[at];
    if (!old && member.tracks.length >= MAX_TRACKS) return;
    if (old && !sameStream(old, track)) this.tell('removed', id, old);
    member.tracks = old ? member.tracks.with(at, track) : [...member.tracks, track];
    this.tell(old && sameStream(old, track) ? 'updated' : 'added', id, track);
  }

  private remove(id: string, track: string): void {
    const member = this.members.get(id);
    const old = member?.tracks.find((t) => t.id === track);
    if (!member || !old) return;
    member.tracks = member.tracks.filter((t) => t !== old);
    this.tell('removed', id, old);
  }

  private tell(what: keyof RosterHandler, member: string, track: WireTrack): void {
    const aliases = aliasesOf(track);
    if (aliases.length > 0 && isMedia(track)) this.handler[what]({ member, track, aliases });
  }
}

function aliasesOf(track: WireTrack): number[] {
  return track.layers.map(({ alias }) => alias).filter((alias) => alias > 0);
}

function sameStream(a: WireTrack, b: WireTrack): boolean {
  return aliasesOf(a).join() === aliasesOf(b).join() && a.kind === b.kind && a.codec === b.codec;
}

/** Kinds that a later version may add are left out: nothing here could play them. */
function isMedia(track: WireTrack): boolean {
  return track.kind === 'audio' || track.kind === 'video';
}

/** A member as the application sees it. */
export function memberInfo(member: WireMember): MemberInfo {
  return { id: member.id, name: member.name, state: member.state, tracks: member.tracks.filter(isMedia).map(trackInfo) };
}

const SOURCES: readonly TrackInfo['source'][] = ['camera', 'mic', 'screen', 'screen-audio', 'file'];

function trackInfo(track: WireTrack): TrackInfo {
  const info: TrackInfo = {
    id: track.id,
    kind: track.kind === 'audio' ? 'audio' : 'video',
    source: SOURCES.find((s) => s === track.source) ?? 'file',
    codec: track.codec,
    muted: track.muted,
  };
  if (track.width) info.width = track.width;
  if (track.height) info.height = track.height;
  return info;
}
