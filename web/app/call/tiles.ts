import type { MemberInfo, TrackInfo } from '../../sdk';
import { filmOf, labels, screenOf } from '../labels';

/** A rectangle on the page: a member, or one more picture that a member sends. */
export interface Tile {
  /** Stays the same as long as the tile does. A new publication under an old id is another tile. */
  key: string;
  /** The accessible name. */
  label: string;
  member: MemberInfo;
  self: boolean;
  /** The picture, if there is one: a camera on the member's own tile, or the file of one who has neither camera nor microphone; anything else on a tile of its own. */
  video: TrackInfo | undefined;
  screen: boolean;
  /** A file that is streamed by somebody who takes part as well. */
  film: boolean;
  /** Whether the tile stands for the member, with its name, microphone and avatar. */
  main: boolean;
}

/** Counts the publications of each track: a track that was withdrawn and offered again is a new picture. */
export class Publications {
  private readonly seen = new Map<string, { live: boolean; count: number }>();

  update(members: Iterable<MemberInfo>): void {
    const live = new Set<string>();
    for (const member of members) for (const track of member.tracks) live.add(`${member.id}/${track.id}`);
    for (const [key, entry] of this.seen) entry.live &&= live.has(key);
    for (const key of live) {
      const entry = this.seen.get(key);
      if (!entry) this.seen.set(key, { live: true, count: 0 });
      else if (!entry.live) this.seen.set(key, { live: true, count: entry.count + 1 });
    }
  }

  keyOf(member: string, track: string): string {
    return `${member}/${track}/${this.seen.get(`${member}/${track}`)?.count ?? 0}`;
  }
}

/** The tiles in their order: oneself first, then the others as they came, each one's screens behind. */
export function tilesOf(self: MemberInfo, others: Iterable<MemberInfo>): Tile[] {
  const tiles: Tile[] = [];
  for (const member of [self, ...others]) tiles.push(...memberTiles(member, member === self));
  return tiles;
}

function memberTiles(member: MemberInfo, self: boolean): Tile[] {
  const videos = member.tracks.filter((track) => track.kind === 'video');
  const face = faceOf(member, self);
  const main: Tile = {
    key: member.id,
    label: self ? labels.you : member.name,
    member,
    self,
    video: face,
    screen: false,
    film: false,
    main: true,
  };
  const extra = videos.filter((track) => track !== face).map((video): Tile => {
    const [screen, film] = [video.source === 'screen', video.source === 'file'];
    const screenLabel = self ? labels.yourScreen : screenOf(member.name);
    const filmLabel = self ? labels.yourFilm : filmOf(member.name);
    return {
      key: `${member.id}/${video.id}`,
      label: screen ? screenLabel : film ? filmLabel : `${main.label}, ${video.id}`,
      member,
      self,
      video,
      screen,
      film,
      main: false,
    };
  });
  return [main, ...extra];
}

/** The picture that stands for a member. A file is that of another who only streams it, as the command line does. */
export function faceOf({ tracks }: MemberInfo, self: boolean): TrackInfo | undefined {
  const videos = tracks.filter(({ kind }) => kind === 'video');
  const present = self || tracks.some(({ source }) => source === 'mic' || source === 'camera');
  return videos.find(({ source }) => source !== 'screen' && (source !== 'file' || !present));
}

/** Whether a member streams a file that is heard and not seen: nothing else on the page says where that sound is from. */
export function playsSound({ tracks }: MemberInfo): boolean {
  const files = tracks.filter(({ source }) => source === 'file');
  return tracks.some(({ source }) => source === 'mic') && files.some(({ kind }) => kind === 'audio') && !files.some(({ kind }) => kind === 'video');
}

/** Whether it is there to be looked at by all. */
export const isShared = ({ screen, film }: Tile): boolean => screen || film;

/**
 * The tile that gets the stage: the pinned one, else the newest screen or file of another member, else none.
 * Tiles come in the order of members; shares are told apart by when they were first seen.
 */
export function staged(tiles: readonly Tile[], pinned: string | undefined, sharedSince: ReadonlyMap<string, number>): Tile | undefined {
  const chosen = tiles.find((tile) => tile.key === pinned);
  if (chosen) return chosen;
  const age = (tile: Tile) => sharedSince.get(tile.key) ?? 0;
  return tiles.filter((tile) => isShared(tile) && !tile.self).sort((a, b) => age(b) - age(a))[0];
}

export type Sounding = 'on' | 'muted' | 'none';

/** What is to be heard of a member. */
export function sounding(member: MemberInfo): Sounding {
  const sounds = member.tracks.filter(({ kind, source }) => kind === 'audio' && source !== 'screen-audio');
  const mics = sounds.filter(({ source }) => source === 'mic');
  const voices = mics.length > 0 ? mics : sounds;
  if (voices.length === 0) return 'none';
  return voices.every((track) => track.muted) ? 'muted' : 'on';
}

/** Whether a picture fills its tile (cut at the edges) or is shown whole. Screens and files are shown whole. */
export function fills(video: TrackInfo | undefined, width: number, height: number, large: boolean): boolean {
  if (!video || video.source !== 'camera' || large) return false;
  const picture = (video.width || 16) / (video.height || 9);
  const ratio = picture / (width / Math.max(1, height));
  return ratio < 1.6 && ratio > 1 / 1.6;
}
