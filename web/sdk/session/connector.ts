// Gets one joined link: makes attempts, beside each other when they hang, until one is in. The
// first attempt that opens is the only one that joins, since a resume token is good for one use.

import type { Joined, ServerMessage } from '../wire/messages';
import type { Link, LinkHandler, Media } from './link';
import { explain, judge, waitBefore } from './verdict';

const BESIDE_MS = 1_000;
const OPEN_MS = 3_000;
const JOIN_MS = 6_000;
const MAX_ATTEMPTS = 3;

export interface ConnectorHandler {
  dial(handler: LinkHandler): Link;
  /** Asked when an attempt has opened: is a new link still wanted? */
  wanted(): boolean;
  /** Whether this member has been in the room before: then it comes back by itself when there is room again. */
  beenIn(): boolean;
  /** Sends hello and join. fresh: the resume token was refused. */
  greet(link: Link, fresh: boolean): void;
  /** What the relay can do besides. */
  welcomed(features: string[]): void;
  joined(link: Link, message: Joined): void;
  /** The relay said not to come back. */
  refused(code: string, text: string): void;
}

export class Connector implements LinkHandler {
  private attempts = new Set<Link>();
  private joining: Link | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private deadlines = new Map<Link, ReturnType<typeof setTimeout>>();
  private count = 0;
  private fatal = '';
  active = false;

  constructor(
    private readonly host: ConnectorHandler,
    private readonly random: () => number = Math.random,
  ) {}

  /** Starts, with the first attempt after waitMs. */
  begin(waitMs: number): void {
    if (this.active) return;
    this.active = true;
    this.count = 0;
    this.schedule(waitMs);
  }

  /** Makes an attempt now, unless one is on its way in. */
  kick(): void {
    if (!this.active || this.joining) return;
    this.launch();
  }

  /** Gives up all attempts. */
  stop(): void {
    this.active = false;
    clearTimeout(this.timer);
    this.drop(undefined);
    this.joining = undefined;
  }

  /** Whether an attempt has sent its join: it can no longer be taken back. */
  get committed(): boolean {
    return this.joining !== undefined;
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.launch(), ms);
  }

  private launch(): void {
    clearTimeout(this.timer);
    if (this.attempts.size < MAX_ATTEMPTS) {
      this.count++;
      const link = this.host.dial(this);
      this.attempts.add(link);
      this.deadline(link, OPEN_MS);
    }
    this.schedule(BESIDE_MS);
  }

  private deadline(link: Link, ms: number): void {
    clearTimeout(this.deadlines.get(link));
    this.deadlines.set(
      link,
      setTimeout(() => link.fail(), ms),
    );
  }

  private forget(link: Link): void {
    this.attempts.delete(link);
    clearTimeout(this.deadlines.get(link));
    this.deadlines.delete(link);
  }

  /** Gives up all attempts but one. */
  private drop(kept: Link | undefined): void {
    for (const link of [...this.attempts]) {
      if (link === kept) continue;
      this.forget(link);
      link.discard();
    }
  }

  opened(link: Link): void {
    if (!this.host.wanted()) return this.stop();
    clearTimeout(this.timer);
    this.drop(link);
    this.joining = link;
    this.fatal = '';
    this.deadline(link, JOIN_MS);
    this.host.greet(link, false);
  }

  control(link: Link, message: ServerMessage): void {
    if (link !== this.joining) return;
    if (message.type === 'welcome') this.host.welcomed(message.features);
    else if (message.type === 'joined') {
      this.forget(link);
      this.joining = undefined;
      this.active = false;
      this.host.joined(link, message);
    } else if (message.type === 'error' && message.code === 'resume-refused') {
      this.deadline(link, JOIN_MS);
      this.host.greet(link, true);
    } else if (message.type === 'error' && message.fatal) {
      this.fatal = `${message.code}: ${message.text}`;
    }
  }

  media(_link: Link, _message: Media): void {}

  acked(_link: Link): void {}

  closed(link: Link, code: number, reason: string): void {
    this.forget(link);
    const wasJoining = link === this.joining;
    if (wasJoining) this.joining = undefined;
    if (!this.active) return;
    const verdict = judge(code);
    if (wasJoining && (verdict === 'over' || (verdict === 'later' && !this.host.beenIn()))) {
      this.stop();
      const why = explain(code, reason || this.fatal);
      return this.host.refused(why.code, why.text);
    }
    if (this.attempts.size === 0) this.schedule(waitBefore(this.count, verdict, this.random));
  }
}
