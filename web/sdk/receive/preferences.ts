// What the application wants of single tracks, turned into subscriptions beside the standing one.

import type { Outgoing } from '../wire/messages';

const DEFAULT_PRIORITY = 4;
const MAX_PREFERENCES = 255;

interface Preference {
  member: string;
  track: string;
  hidden: boolean;
  priority: number;
  /** What the relay was told last; '' for nothing. */
  told: string;
}

export class Preferences {
  private all = new Map<string, Preference>();

  constructor(private readonly send: (message: Outgoing) => boolean) {}

  set(member: string, track: string, hidden: boolean, priority: number): void {
    const key = `${member} ${track}`;
    const known = this.all.get(key);
    if (!known && this.all.size >= MAX_PREFERENCES) return;
    const preference = { member, track, hidden, priority, told: known?.told ?? '' };
    this.all.set(key, preference);
    this.tell(preference);
  }

  /** The track came (again): a subscription to it alone ended with its predecessor. */
  added(member: string, track: string): void {
    const preference = this.all.get(`${member} ${track}`);
    if (!preference) return;
    preference.told = '';
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

  forget(member: string): void {
    for (const [key, p] of this.all) if (p.member === member) this.all.delete(key);
  }

  private tell(preference: Preference): void {
    const { member, track, hidden, priority } = preference;
    const plain = !hidden && priority === DEFAULT_PRIORITY;
    const want = plain ? '' : `${hidden} ${priority}`;
    if (want === preference.told) return;
    const sent = plain
      ? this.send({ type: 'unsubscribe', member, track })
      : this.send({ type: 'subscribe', member, track, paused: hidden, priority });
    if (!sent) return;
    preference.told = want;
    if (plain) this.all.delete(`${member} ${track}`);
  }
}
