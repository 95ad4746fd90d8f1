// The objects that are offered to this member, and those that come. The twin of signaling/client/receiving.go. Time is an argument,
// in ms.

import type { ServerMessage } from '../wire/messages';
import type { ObjectChunk } from '../wire/wire';
import { MAX_RECEIVED_BYTES } from './api';
import type { TransferWhy } from './api';
import { Received } from './received';
import { ADRIFT_MS, faultOf } from './rules';
import type { ObjectsHost } from './sendings';
import type { CancelReason } from './sent';

type Offered = Extract<ServerMessage, { type: 'offered' }>;

/** Objects that are known, finished ones included; of them so many may be unanswered. */
const MAX_KNOWN = 256;
const MAX_UNANSWERED = 32;
const CREDIT_EVERY = 65_536;

const TOO_MANY: TransferWhy = { code: 'too-many-offers', text: `an offer was declined: ${MAX_UNANSWERED} others wait for an answer already` };
const LEFT: TransferWhy = { code: 'left', text: 'the sender has left' };
const AWAY: TransferWhy = { code: 'left', text: `the sender has left, and did not come back within ${ADRIFT_MS / 1000} s` };
const HERE: TransferWhy = { code: 'cancelled-here', text: 'it was given up here' };
const HASH: TransferWhy = { code: 'hash', text: 'what came is not what was sent: the hashes differ' };
const GIVEN_UP: TransferWhy = { code: 'cancelled', text: 'the sender has given up' };
const UNREAD: TransferWhy = { code: 'failed', text: 'the sender could not read it' };

export class Receivings {
  private list: Received[] = [];
  private keys = 0;
  private readonly due = new Set<Received>();

  constructor(
    private readonly host: ObjectsHost,
    /** The display name of a member. */
    private readonly nameOf: (member: string) => string,
  ) {}

  /** Takes a message about objects that come; false when it is about something else. */
  control(message: ServerMessage, now: number): boolean {
    switch (message.type) {
      case 'offered':
        this.offered(message);
        return true;
      case 'finish': {
        const known = this.on(message.stream);
        if (known?.state === 'done') this.host.send({ type: 'received', stream: message.stream }); // the sender has not heard it
        else if (known) this.finish(known, message.sha256);
        return true;
      }
      case 'cancel':
        this.cancelled(message.stream, message.reason, now);
        return true;
      default:
        return false;
    }
  }

  private on(stream: number): Received | undefined {
    return this.list.find((r) => r.stream === stream);
  }

  private offered(message: Offered): void {
    const { stream, object, from, name, size, mime: type } = message;
    const known = this.list.find((r) => r.object === object);
    if (known) return this.again(known, message);
    const info = { from, fromName: this.nameOf(from), name, size, type };
    const fault = faultOf({ object, name, size, type });
    if (fault) return this.refuse(stream, { code: 'bad-object', text: `an offer was declined: ${fault}` }, from);
    const unanswered = this.list.filter(({ state }) => state === 'offered').length;
    if (unanswered >= MAX_UNANSWERED || !this.makeRoom()) return this.refuse(stream, TOO_MANY, from);
    const fresh = new Received(++this.keys, object, info);
    fresh.stream = stream;
    this.list.push(fresh);
    if (size > MAX_RECEIVED_BYTES) {
      const why = { code: 'too-large', text: `it has ${size} bytes: a page takes up to ${MAX_RECEIVED_BYTES}` };
      fresh.finish('declined', why);
      this.sendCancel(fresh, 'declined');
    }
    this.host.post({ is: 'offer', key: fresh.key, info, state: fresh.state, why: fresh.why });
  }

  /** Declines what does not even become an offer. */
  private refuse(stream: number, { code, text }: TransferWhy, member: string): void {
    this.host.send({ type: 'cancel', stream, reason: 'declined' });
    this.host.post({ is: 'notice', code, text, member });
  }

  private makeRoom(): boolean {
    if (this.list.length < MAX_KNOWN) return true;
    const old = this.list.findIndex(({ over }) => over);
    if (old >= 0) this.list.splice(old, 1);
    return old >= 0;
  }

  /** Something that is known: it goes on where it is, unless somebody else offers it, or it is not wanted. */
  private again(known: Received, { stream, from, name, size }: Offered): void {
    const { info } = known;
    const same = info.name === name && info.size === size && (info.from === from || info.fromName === this.nameOf(from));
    const gone = known.state === 'failed' && known.why === LEFT;
    if (!same || known.live || (known.over && known.state !== 'done' && !gone)) {
      this.host.send({ type: 'cancel', stream, reason: 'declined' });
      return;
    }
    known.stream = stream;
    known.adriftSince = undefined;
    info.from = from;
    if (known.state === 'accepted' || known.state === 'done') this.accept(known);
    else if (gone) {
      known.finish('offered');
      this.tell(known);
    }
  }

  answer(key: number, answer: 'accept' | 'decline' | 'cancel'): void {
    const known = this.list.find((r) => r.key === key);
    if (!known || known.over || (answer === 'accept' && known.state === 'accepted')) return;
    if (answer === 'accept') {
      known.state = 'accepted';
      if (known.stream !== 0) this.accept(known);
    } else {
      if (answer === 'decline') known.finish('declined');
      else known.finish('failed', HERE);
      this.sendCancel(known, answer === 'decline' ? 'declined' : 'cancelled');
    }
    this.tell(known);
  }

  /** Asks for the rest. What is all there has the sender say its last word again. */
  private accept(known: Received): void {
    const { stream, bytes } = known;
    known.credited = bytes;
    known.live = this.host.send({ type: 'accept', stream, offset: bytes }) && known.state !== 'done';
  }

  private sendCancel(known: Received, reason: CancelReason): void {
    if (known.stream !== 0) this.host.send({ type: 'cancel', stream: known.stream, reason });
    known.stream = 0;
    known.live = false;
  }

  private fail(known: Received, why: TransferWhy, reason: CancelReason): void {
    known.finish('failed', why);
    this.sendCancel(known, reason);
    this.tell(known);
  }

  private cancelled(stream: number, reason: CancelReason, now: number): void {
    const known = this.on(stream);
    if (!known) return;
    known.stream = 0;
    known.live = false;
    if (known.over) return;
    // Whoever sent it may come back, as another member.
    if (reason === 'left' && known.state === 'accepted') known.adriftSince = now;
    else if (reason === 'left') known.finish('failed', LEFT);
    else known.finish('failed', reason === 'failed' ? UNREAD : GIVEN_UP);
    this.tell(known);
  }

  chunk({ stream, offset, payload }: ObjectChunk): void {
    const known = this.on(stream);
    if (!known?.live || known.state !== 'accepted' || offset !== known.bytes) return;
    if (offset + payload.length > known.info.size) return this.fail(known, HASH, 'failed');
    known.append(payload);
    this.due.add(known);
    if (known.bytes >= known.credited + CREDIT_EVERY) {
      known.credited = known.bytes;
      this.host.send({ type: 'credit', stream, offset: known.bytes });
    }
    if (known.complete) void this.keep(known);
  }

  private finish(known: Received, sha256: string): void {
    known.sha256 ||= sha256;
    if (known.complete) void this.keep(known);
  }

  /** All is there: it is compared and kept, and the sender is told. */
  private async keep(known: Received): Promise<void> {
    known.closing = true;
    if (!known.matches) return this.fail(known, HASH, 'hash');
    try {
      const file = await known.whole();
      if (known.over) return;
      known.finish('done');
      if (known.live) this.host.send({ type: 'received', stream: known.stream });
      known.live = false;
      this.tell(known, file);
    } catch (error) {
      const text = `this browser could not keep it: ${error instanceof Error ? error.message : String(error)}`;
      if (!known.over) this.fail(known, { code: 'no-space', text }, 'failed');
    }
  }

  private tell(known: Received, file?: Blob): void {
    this.due.delete(known);
    const { key, state, why, bytes } = known;
    this.host.post({ is: 'receiving', key, state, why, bytes, ...(file && { file }) });
  }

  /** The link is gone, and with it the numbers of streams: what lives is offered again. */
  lost(): void {
    for (const known of this.list) Object.assign(known, { stream: 0, live: false, adriftSince: undefined });
  }

  joined(now: number): void {
    for (const known of this.list) if (!known.over) known.adriftSince = now;
  }

  /** Tells progress; gives up on who does not come back. */
  tick(now: number): void {
    for (const known of this.list) {
      if (known.over || known.live || known.adriftSince === undefined || now - known.adriftSince < ADRIFT_MS) continue;
      known.finish('failed', known.state === 'offered' ? LEFT : AWAY);
      this.tell(known);
    }
    for (const known of [...this.due]) this.tell(known);
  }

  close(why: TransferWhy): void {
    for (const known of this.list.filter(({ over }) => !over)) {
      known.finish('failed', why);
      this.tell(known);
    }
    this.list = [];
  }
}
