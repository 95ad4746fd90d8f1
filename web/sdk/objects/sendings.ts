// The objects that this member offers: which message concerns which, and whose turn it is on the link. The twin of
// signaling/client/porter.go.

import type { ToPage } from '../bridge';
import type { BulkSource } from '../send/bulk';
import { newSource } from '../session/source';
import type { Outgoing, ServerMessage } from '../wire/messages';
import type { TransferWhy } from './api';
import { Sent } from './sent';
import type { CancelReason, End, Person } from './sent';

export interface ObjectsHost {
  post(message: ToPage): void;
  /** False when there is no link. */
  send(message: Outgoing): boolean;
  nextReq(): number;
  /** Something waits for the link. */
  run(): void;
}

/** Objects offered at a time, and streams that the relay lets a member send on. */
const MAX_SENT = 64;
const MAX_STREAMS = 64;
/** Cancels that are said again after a resume: the relay may not have got them. */
const MAX_CANCELS = 64;

const SETTLED: TransferWhy = { code: 'too-many-objects', text: 'it is not offered any more: later ones took its place' };
const TOO_MANY: TransferWhy = { code: 'too-many-objects', text: `${MAX_SENT} objects are offered already` };

export class Sendings implements BulkSource {
  private list: Sent[] = [];
  private cancels: { stream: number; reason: CancelReason }[] = [];
  private readonly due = new Set<Sent>();
  /** Who is there. */
  private others = new Map<string, Person>();

  constructor(private readonly host: ObjectsHost) {}

  add(key: number, file: Blob, name: string, to: string | undefined): void {
    const person = to === undefined ? undefined : (this.others.get(to) ?? { id: to, name: '' });
    const sent = new Sent({ key, object: newSource(), name, to: person }, file, {
      send: (message) => this.host.send(message),
      run: () => this.host.run(),
      nextReq: () => this.host.nextReq(),
      mayOpen: () => this.open <= MAX_STREAMS,
      cancel: (stream, reason) => this.cancelStream(stream, reason),
      changed: (object, now) => (now ? this.tell(object) : this.due.add(object)),
    });
    if (!this.makeRoom()) sent.end(TOO_MANY);
    else this.list.push(sent);
    if (to !== undefined && !this.others.has(to)) sent.end({ code: 'no-such-member', text: 'the receiver is not in the room' });
    for (const other of this.others.values()) sent.offerTo(other);
    this.tell(sent);
    this.forgetEnded();
  }

  /** Forgets the oldest that nobody takes any more, where there are as many as may be. */
  private makeRoom(): boolean {
    if (this.list.length < MAX_SENT) return true;
    const settled = this.list.find((sent) => sent.settled);
    settled?.end(SETTLED);
    if (settled) this.tell(settled);
    this.forgetEnded();
    return settled !== undefined;
  }

  private get open(): number {
    return this.list.reduce((sum, { ends }) => sum + ends.filter(({ over }) => !over).length, 0);
  }

  cancel(key: number, member: string | undefined): void {
    this.list.find(({ about }) => about.key === key)?.cancel(member);
    this.forgetEnded();
  }

  private forgetEnded(): void {
    this.list = this.list.filter(({ over }) => !over);
  }

  private cancelStream(stream: number, reason: CancelReason): void {
    this.cancels = [...this.cancels, { stream, reason }].slice(-MAX_CANCELS);
    this.host.send({ type: 'cancel', stream, reason });
  }

  private tell(sent: Sent): void {
    this.due.delete(sent);
    const deliveries = sent.ends.map(({ delivery }) => delivery);
    this.host.post({ is: 'sending', key: sent.about.key, over: sent.over, deliveries });
  }

  get waiting(): boolean {
    return this.list.some(({ ends }) => ends.some(({ feed }) => feed.waits));
  }

  /** Streams take turns, and so do objects. */
  take(most: number): Uint8Array | undefined {
    for (const [i, sent] of this.list.entries()) {
      const j = sent.ends.findIndex(({ feed }) => feed.waits);
      if (j < 0) continue;
      const message = sent.ends[j]!.feed.take(most);
      sent.ends.push(...sent.ends.splice(j, 1));
      this.list.push(...this.list.splice(i, 1));
      return message;
    }
    return undefined;
  }

  /** Takes a message about objects that are sent; false when it is about something else. */
  control(message: ServerMessage): boolean {
    switch (message.type) {
      case 'memberJoined':
        this.arrived(message.member);
        return false;
      case 'memberLeft':
        this.others.delete(message.id);
        for (const sent of this.list) sent.left(message.id);
        return false;
      case 'offering':
        for (const { stream, to } of message.streams) this.told(message.object, to, stream);
        return true;
      case 'accepted': {
        const found = this.find((end, sent) => sent.about.object === message.object && end.person.id === message.to && !end.over);
        if (found) found.sent.accepted(found.end, message);
        else this.cancelStream(message.stream, 'cancelled');
        return true;
      }
      case 'error': {
        const found = this.find((end) => message.req > 0 && end.req === message.req && !end.over);
        found?.sent.refused(found.end, message.code, message.text);
        return found !== undefined;
      }
      default:
        return this.onStream(message);
    }
  }

  private onStream(message: ServerMessage): boolean {
    if (message.type !== 'credit' && message.type !== 'received' && message.type !== 'cancel') return false;
    const found = this.find((end) => end.stream === message.stream && !end.over);
    if (!found) return message.type !== 'cancel';
    if (message.type === 'credit') found.sent.credit(found.end, message.offset);
    else if (message.type === 'received') found.sent.received(found.end);
    else found.sent.cancelled(found.end, message.reason);
    return true;
  }

  private told(object: string, to: string, stream: number): void {
    const found = this.find((end, sent) => sent.about.object === object && end.person.id === to && !end.over);
    if (found) found.sent.told(found.end, stream);
    else this.cancelStream(stream, 'cancelled');
  }

  private find(which: (end: End, sent: Sent) => boolean): { sent: Sent; end: End } | undefined {
    for (const sent of this.list) {
      const end = sent.ends.find((e) => which(e, sent));
      if (end) return { sent, end };
    }
    return undefined;
  }

  private arrived({ id, name }: Person): void {
    this.others.set(id, { id, name });
    for (const sent of this.list) sent.offerTo({ id, name });
  }

  lost(): void {
    for (const sent of this.list) sent.lost();
  }

  joined(resumed: boolean, others: Person[], now: number): void {
    this.others = new Map(others.map(({ id, name }) => [id, { id, name }] as const));
    if (!resumed) this.cancels = [];
    for (const { stream, reason } of this.cancels) this.host.send({ type: 'cancel', stream, reason });
    for (const sent of this.list) sent.joined(resumed, [...this.others.values()], now);
  }

  /** Tells progress; gives up on who does not come back. */
  tick(now: number): void {
    for (const sent of this.list) sent.tick(now);
    for (const sent of [...this.due]) this.tell(sent);
    this.forgetEnded();
  }

  close(why: TransferWhy): void {
    for (const sent of this.list) {
      sent.end(why);
      this.tell(sent);
    }
    this.list = [];
  }
}
