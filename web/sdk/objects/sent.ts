// One object that this member offers, and how it stands with each receiver. The twin of signaling/client/sending.go. Time is an
// argument, in ms.

import type { Outgoing, ServerMessage } from '../wire/messages';
import type { Delivery, TransferState, TransferWhy } from './api';
import { Feed } from './feed';
import { HashPass } from './hash-pass';
import { ADRIFT_MS } from './rules';

type Accepted = Extract<ServerMessage, { type: 'accepted' }>;
export type CancelReason = Extract<ServerMessage, { type: 'cancel' }>['reason'];

export interface Person {
  id: string;
  name: string;
}

export interface SentHost {
  send(message: Outgoing): boolean;
  cancel(stream: number, reason: CancelReason): void;
  nextReq(): number;
  /** Whether one stream more may be asked for. */
  mayOpen(): boolean;
  /** Something waits for the link. */
  run(): void;
  /** It is to be told; at once, or with what else changes soon. */
  changed(object: Sent, now: boolean): void;
}

/** What an object is, besides its bytes. */
export interface About {
  key: number;
  object: string;
  name: string;
  to: Person | undefined;
}

/** adrift: the relay was started anew, so that the receiver will come under another id. */
type EndState = TransferState | 'adrift';

export class End {
  state: EndState = 'offered';
  why: TransferWhy | undefined;
  bytes = 0;
  req = 0;
  stream = 0;
  /** Not accepted yet on this stream: what was consumed is not known. */
  fresh = false;
  finished = false;
  /** The relay was started anew: it is expected back until then. */
  until: number | undefined;

  constructor(
    readonly person: Person,
    readonly feed: Feed,
  ) {}

  get over(): boolean {
    return this.state !== 'offered' && this.state !== 'accepted' && this.state !== 'adrift';
  }

  finish(state: TransferState, why?: TransferWhy): void {
    this.state = state;
    this.why = why;
    this.feed.close();
  }

  get delivery(): Delivery {
    const { person, bytes, why } = this;
    const state = this.state === 'adrift' ? 'accepted' : this.state;
    return { member: person.id, name: person.name, state, bytes, ...(why && { why }) };
  }
}

const LEFT: TransferWhy = { code: 'left', text: 'the receiver has left' };
const HERE: TransferWhy = { code: 'cancelled-here', text: 'it was given up here' };

const REASONS: Record<Exclude<CancelReason, 'declined'>, TransferWhy> = {
  cancelled: { code: 'cancelled', text: 'the receiver gave it up' },
  failed: { code: 'failed', text: 'the receiver could not keep it' },
  hash: { code: 'hash', text: 'what came there is not what was sent' },
  left: LEFT,
};

/** Receivers that are remembered of one object. */
const MAX_ENDS = 2_000;

export class Sent {
  ends: End[] = [];
  /** Why it is not offered any more. */
  over: TransferWhy | undefined;
  private readonly hash: HashPass;
  /** Ids mean nothing any more: the receiver is known by its name. */
  private byName = false;

  constructor(
    readonly about: About,
    readonly file: Blob,
    private readonly host: SentHost,
  ) {
    this.hash = new HashPass(file, { ready: () => this.progressed(), failed: (error) => this.unreadable(error) });
  }

  get settled(): boolean {
    return this.ends.length > 0 && this.ends.every(({ over }) => over);
  }

  /** Offers it to one who is there, or is there again. */
  offerTo(person: Person): void {
    const { to } = this.about;
    if (this.over || (to && to.id !== person.id && !(this.byName && to.name === person.name))) return;
    let end = this.ends.find((e) => e.person.id === person.id);
    if (end && end.state !== 'adrift' && end.why !== LEFT) return;
    if (!end) {
      if (this.ends.length >= MAX_ENDS) return;
      end = new End(person, new Feed(this.file, { ready: () => this.progressed(), failed: (error) => this.unreadable(error) }));
      this.ends.push(end);
    }
    end.state = 'offered';
    end.why = undefined;
    if (this.host.mayOpen()) this.ask(end);
    else end.finish('failed', { code: 'too-many-streams', text: 'this page has as many transfers under way as it may' });
    this.host.changed(this, true);
  }

  private ask(end: End): void {
    const { object, name } = this.about;
    end.req = this.host.nextReq();
    this.host.send({ type: 'offer', req: end.req, object, to: end.person.id, name, size: this.file.size, mime: this.file.type });
  }

  /** The relay gave the stream a number. */
  told(end: End, stream: number): void {
    if (end.stream === stream) return;
    end.feed.close();
    end.stream = stream;
    end.fresh = true;
  }

  /** A turn begins. */
  accepted(end: End, { stream, turn, offset }: Accepted): void {
    if (offset > this.file.size) return;
    this.takeOver(end, offset);
    const anew = end.stream !== stream || end.fresh;
    const consumed = anew ? offset : Math.min(end.feed.consumed, offset);
    Object.assign(end, { state: 'accepted', stream, fresh: false, finished: false, bytes: Math.max(end.bytes, consumed) });
    end.feed.begin(stream, turn, offset, consumed);
    this.progressed();
    this.host.changed(this, true);
  }

  /**
   * Forgets the receiver that has come back under another id since the relay was started anew: the one of the same name that is
   * missing, or that has it all already.
   */
  private takeOver(end: End, offset: number): void {
    const back = (old: End): boolean => old !== end && old.person.name === end.person.name
      && (old.state === 'adrift' || (old.state === 'done' && old.until !== undefined && offset === this.file.size));
    this.ends = this.ends.filter((old) => !back(old));
  }

  credit(end: End, offset: number): void {
    if (offset > this.file.size) return;
    end.feed.credit(offset);
    end.bytes = Math.max(end.bytes, offset);
    this.host.changed(this, false);
  }

  received(end: End): void {
    end.bytes = this.file.size;
    end.finish('done');
    this.host.changed(this, true);
  }

  cancelled(end: End, reason: CancelReason): void {
    if (reason === 'declined') end.finish('declined');
    else end.finish('failed', REASONS[reason]);
    this.host.changed(this, true);
  }

  refused(end: End, code: string, text: string): void {
    end.finish('failed', code === 'no-such-member' ? LEFT : { code, text });
    this.host.changed(this, true);
  }

  left(member: string): void {
    const end = this.ends.find(({ person, over, state }) => person.id === member && !over && state !== 'adrift');
    if (end) this.cancelled(end, 'left');
  }

  /** Gives all up, or one receiver. */
  cancel(member: string | undefined): void {
    for (const end of this.ends) if (member === undefined || end.person.id === member) this.giveUp(end, HERE, 'cancelled');
    if (member === undefined) this.end(HERE);
    this.host.changed(this, true);
  }

  end(why: TransferWhy): void {
    this.over ??= why;
    this.hash.stop();
    for (const end of this.ends) if (!end.over) end.finish('failed', why);
  }

  private giveUp(end: End, why: TransferWhy, reason: CancelReason): void {
    if (end.over) return;
    end.finish('failed', why);
    if (end.stream !== 0) this.host.cancel(end.stream, reason);
  }

  private unreadable(error: unknown): void {
    const text = `it could not be read: ${error instanceof Error ? error.message : String(error)}`;
    const why = { code: 'unreadable', text };
    for (const end of this.ends) this.giveUp(end, why, 'failed');
    this.end(why);
    this.host.changed(this, true);
  }

  /** Something was read, or the hash is known. */
  private progressed(): void {
    for (const end of this.ends) {
      if (end.state !== 'accepted') continue;
      this.hash.follow(end.feed.read);
      if (!end.feed.atEnd || end.finished || this.hash.sum === '') continue;
      end.finished = this.host.send({ type: 'finish', stream: end.stream, sha256: this.hash.sum });
    }
    this.host.run();
  }

  /** The link is gone: nothing goes until the receiver has accepted again. */
  lost(): void {
    for (const { feed } of this.ends) feed.close();
  }

  /** A new link; to a relay that was started anew all streams are unknown, and everybody has another id. */
  joined(resumed: boolean, others: Person[], now: number): void {
    if (resumed) {
      for (const end of this.ends) if (!end.over && end.state !== 'adrift') this.ask(end);
    } else {
      this.byName = true;
      this.ends = this.ends.filter(({ state }) => state !== 'offered');
      for (const end of this.ends) {
        end.stream = 0;
        end.until = now + ADRIFT_MS;
        if (end.state === 'accepted') end.state = 'adrift';
      }
    }
    for (const person of others) this.offerTo(person);
    this.host.changed(this, true);
  }

  tick(now: number): void {
    for (const end of this.ends) if (end.state === 'adrift' && end.until !== undefined && now > end.until) this.cancelled(end, 'left');
  }
}
