// What the application wants of single tracks, and what this device can do with, turned into subscriptions beside the standing one.

import type { Outgoing } from '../wire/messages';

const DEFAULT_PRIORITY = 4;
const MAX_PREFERENCES = 255;

/** What an application wants of a track. */
export interface Want {
  hidden: boolean;
  priority: number;
  /** The tallest picture that is of use, device pixels; 0: any. */
  height: number;
}

interface Preference extends Want {
  member: string;
  track: string;
  /** The tallest picture that this device decodes in time; 0: any. */
  limit: number;
  /** What the relay was told last; '' for nothing. */
  told: string;
}

export class Preferences {
  private all = new Map<string, Preference>();

  constructor(private readonly send: (message: Outgoing) => boolean) {}

  set(member: string, track: string, want: Want): void {
    this.change(member, track, want);
  }

  limit(member: string, track: string, height: number): void {
    this.change(member, track, { limit: height });
  }

  private change(member: string, track: string, change: Partial<Preference>): void {
    const key = `${member} ${track}`;
    const known = this.all.get(key);
    if (!known && this.all.size >= MAX_PREFERENCES) return;
    const nothing = { member, track, hidden: false, priority: DEFAULT_PRIORITY, height: 0, limit: 0, told: '' };
    const preference = { ...nothing, ...known, ...change };
    this.all.set(key, preference);
    this.tell(preference);
  }

  /** The track came (again): a subscription to it alone ended with its predecessor. */
  added(member: string, track: string): void {
    const preference = this.all.get(`${member} ${track}`);
    if (!preference) return;
    preference.told = '';
    preference.limit = 0;
    this.tell(preference);
  }

  /** In the room; anew: the relay knows none of them. */
  joined(resumed: boolean): void {
    for (const preference of this.all.values()) {
      if (!resumed) preference.told = '';
      this.tell(preference);
    }
  }

  isHidden(member: string, track: string): boolean {
    return this.all.get(`${member} ${track}`)?.hidden ?? false;
  }

  /** Whether less is asked for than is of use, since this device can do with no more. */
  isLimited(member: string, track: string): boolean {
    const { limit = 0, height = 0 } = this.all.get(`${member} ${track}`) ?? {};
    return limit > 0 && (height === 0 || height > limit);
  }

  forget(member: string): void {
    for (const [key, p] of this.all) if (p.member === member) this.all.delete(key);
  }

  private tell(preference: Preference): void {
    const { member, track, hidden, priority } = preference;
    const height = asked(preference);
    const plain = !hidden && priority === DEFAULT_PRIORITY && height === 0;
    const want = plain ? '' : `${hidden} ${priority} ${height}`;
    if (want === preference.told) return;
    const sent = plain
      ? this.send({ type: 'unsubscribe', member, track })
      : this.send({ type: 'subscribe', member, track, paused: hidden, priority, ...(height && { height }) });
    if (!sent) return;
    preference.told = want;
    if (plain) this.all.delete(`${member} ${track}`);
  }
}

function asked({ height, limit }: Preference): number {
  return limit && height ? Math.min(limit, height) : limit || height;
}
