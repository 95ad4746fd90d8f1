// What this member says on one topic: what waits, and what was sent and may have to be sent again. Pure; time is an
// argument, in ms.

import type { TopicMode } from '../api';
import { MAX_PUT_VALUES } from '../wire/messages';
import type { Put } from '../wire/messages';

/** Values that wait at most, each key counted once on a latest topic. */
export const MAX_WAITING = 4_096;
/** Between two puts, ms: readers are told no more often. */
const GAP_MS = 20;
/** A lossy value that has waited for longer is of no use to anybody. */
const LOSSY_MS = 200;

/** A value as JSON, and what it takes on the wire. */
export interface PutValue {
  key: string;
  json: string;
  owned: boolean;
  size: number;
}

interface Waiting extends PutValue {
  since: number;
}

interface Sent {
  put: Put;
  /** What the link had carried after it; undefined: it is to be sent on this link. */
  end?: number;
}

export class TopicQueue {
  private waiting: Waiting[] = [];
  /** Of a latest topic: where in waiting a key stands. */
  private at = new Map<string, number>();
  private sent: Sent[] = [];
  /** The number of the newest value that was sent. */
  private n = 0;
  private nextAt = 0;

  constructor(
    private readonly topic: string,
    private readonly mode: TopicMode,
  ) {}

  /** Whether something waits for its turn. */
  get waits(): boolean {
    return this.waiting.length > 0 || this.sent.some(({ end }) => end === undefined);
  }

  /** Whether the relay has all that was put. */
  get idle(): boolean {
    return this.waiting.length === 0 && this.sent.length === 0;
  }

  /** Takes a value; false when too much waits. */
  add(value: PutValue, now: number): boolean {
    const known = this.at.get(value.key);
    if (known !== undefined) {
      this.waiting[known] = { ...value, since: now };
      return true;
    }
    if (this.waiting.length >= MAX_WAITING) {
      if (this.mode !== 'lossy') return false;
      this.waiting.shift();
    }
    if (this.mode === 'latest') this.at.set(value.key, this.waiting.length);
    this.waiting.push({ ...value, since: now });
    return true;
  }

  /** The put that is due now, if any: first what a lost link left open, then at most so many bytes of what waits. */
  next(source: string, bytes: number, now: number, nextReq: () => number): Put | undefined {
    if (now < this.nextAt) return undefined;
    const again = this.sent.find(({ end }) => end === undefined);
    const put = again?.put ?? this.cut(source, bytes, now, nextReq);
    if (put) this.nextAt = now + GAP_MS;
    return put;
  }

  private cut(source: string, bytes: number, now: number, nextReq: () => number): Put | undefined {
    if (this.mode === 'lossy') this.waiting = this.waiting.filter(({ since }) => now - since <= LOSSY_MS);
    const owned = this.waiting[0]?.owned;
    let size = 0;
    const end = this.waiting.findIndex((value, i) => {
      size += value.size;
      return i >= MAX_PUT_VALUES || (i > 0 && size > bytes) || value.owned !== owned;
    });
    const taken = this.waiting.splice(0, end < 0 ? this.waiting.length : end);
    if (taken.length === 0) return undefined;
    if (this.mode === 'latest') this.at = new Map(this.waiting.map(({ key }, i) => [key, i] as const));
    const values = taken.map(({ key, json }) => ({ key, value: JSON.parse(json) as unknown }));
    const put: Put = { type: 'put', req: nextReq(), topic: this.topic, mode: this.mode, source, n: this.n + 1, owned, values };
    this.n += values.length;
    this.sent.push({ put });
    return put;
  }

  /** A put went out; end is what its link has carried with it. */
  wentOut(put: Put, end: number): void {
    const sent = this.sent.find((s) => s.put === put);
    if (sent) sent.end = end;
  }

  /** The relay has so many bytes of the link. */
  acked(bytes: number): void {
    this.sent = this.sent.filter(({ end }) => end === undefined || end > bytes);
  }

  /** The link is gone: what it did not acknowledge is sent again on the next one, but for what is stale by then. */
  lost(): void {
    if (this.mode === 'lossy') return this.clear();
    for (const sent of this.sent) delete sent.end;
    this.nextAt = 0;
  }

  /** The relay refused a put. False when it is none of this topic's. */
  refused(req: number): boolean {
    const before = this.sent.length;
    this.sent = this.sent.filter(({ put }) => put.req !== req);
    return this.sent.length < before;
  }

  clear(): void {
    this.waiting = [];
    this.at.clear();
    this.sent = [];
  }
}
