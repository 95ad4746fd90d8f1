// Test support: a relay of objects without a network. It holds both ends to docs/protocol.md sections 5.6 and 18, and throws where one
// breaks them. What is said waits until pump().

import type { ToPage } from '../bridge';
import { parseClient, parseServer } from '../wire/messages';
import type { ClientMessage, Joined, Outgoing } from '../wire/messages';
import { encodeObject, parseBinary } from '../wire/wire';
import type { ObjectChunk } from '../wire/wire';
import type { Delivery } from './api';
import { Objects } from './objects';
import { WINDOW } from './rules';

interface Stream {
  number: number;
  about: { object: string; name: string; size: number; mime: string };
  from: FakeMember;
  to: FakeMember;
  open: boolean;
  acceptedIn: number;
  turn: number;
  next: number;
  consumed: number;
  queue: ObjectChunk[];
  sha256: string;
}

/** One page of a member, with what its worker keeps of objects. */
export class FakeMember {
  readonly posted: ToPage[] = [];
  readonly objects: Objects;
  readonly refused: ClientMessage[] = [];
  online = false;
  session = 0;
  req = 0;
  inbox: (object | ObjectChunk)[] = [];

  constructor(
    readonly relay: FakeRelay,
    public id: string,
    readonly name: string,
  ) {
    const send = (message: Outgoing): boolean => {
      if (this.online) relay.heard.push([this, parseClient(JSON.stringify(message))!]);
      return this.online;
    };
    const host = { post: (m: ToPage) => this.posted.push(m), send, nextReq: () => ++this.req, run: () => undefined };
    this.objects = new Objects(host, (id) => relay.members.find((m) => m.id === id)?.name ?? '');
  }

  /** The newest that the page was told of an object that this member sends. */
  sending(key: number): { over: { code: string } | undefined; deliveries: Delivery[] } {
    return this.posted.filter((m) => m.is === 'sending' && m.key === key).at(-1) as never;
  }

  get offers(): Extract<ToPage, { is: 'offer' }>[] {
    return this.posted.filter((m) => m.is === 'offer');
  }

  receiving(key: number): Extract<ToPage, { is: 'receiving' }> | undefined {
    return this.posted.filter((m) => m.is === 'receiving' && m.key === key).at(-1) as never;
  }

  /** Something that a page asks of its worker. */
  send(key: number, file: Blob, name = 'plan.pdf', to?: string): void {
    this.objects.handle({ do: 'send-object', key, file, name, to });
  }

  answer(key: number, answer: 'accept' | 'decline' | 'cancel'): void {
    this.objects.handle({ do: 'answer-offer', key, answer });
  }
}

export class FakeRelay {
  members: FakeMember[] = [];
  heard: [FakeMember, ClientMessage][] = [];
  streams = new Map<number, Stream>();
  now = 1_000;
  /** Object bytes that came in, and on which offsets receivers began. */
  bytesIn = 0;
  readonly accepts: number[] = [];
  /** Whether what waits for receivers is delivered. */
  flowing = true;
  private numbers = 0;
  private ids = 0;

  member(name: string): FakeMember {
    const member = new FakeMember(this, `m-${++this.ids}`, name);
    this.enter(member, false);
    this.pump();
    return member;
  }

  private enter(member: FakeMember, resumed: boolean): void {
    for (const other of this.members) if (!resumed && other !== member && other.online) other.inbox.push({ type: 'memberJoined', member: about(member) });
    if (!this.members.includes(member)) this.members.push(member);
    member.online = true;
    member.session++;
    const others = this.members.filter((m) => m !== member);
    const joined = { type: 'joined', resumed, self: about(member), members: others.map(about) };
    member.objects.joined(parseServer(JSON.stringify(joined)) as Joined, this.now);
    for (const st of this.streams.values()) if (st.to === member) this.offered(st);
  }

  /** The member's connection is lost, with all that is on its way. */
  cut(member: FakeMember): void {
    member.online = false;
    member.inbox = [];
    this.heard = this.heard.filter(([from]) => from !== member);
    member.objects.lost();
  }

  resume(member: FakeMember): void {
    this.enter(member, true);
  }

  leave(member: FakeMember): void {
    this.cut(member);
    this.members = this.members.filter((m) => m !== member);
    for (const st of [...this.streams.values()]) if (st.from === member || st.to === member) this.cancel(st, member, 'left');
    for (const other of this.members) other.inbox.push({ type: 'memberLeft', id: member.id, reason: 'bye' });
  }

  /** Everybody loses the connection, and comes back under another id to a relay that knows nothing. */
  restart(back: FakeMember[] = this.members): void {
    const all = back.slice();
    for (const member of this.members) this.cut(member);
    this.members = [];
    this.streams.clear();
    for (const member of all) {
      member.id = `m-${++this.ids}`;
      this.enter(member, false);
    }
  }

  /** Lets everything happen that can, until it is so. */
  async until(what: string, is: () => boolean): Promise<void> {
    for (let i = 0; i < 20_000; i++) {
      this.pump();
      for (const member of this.members) member.objects.tick(this.now);
      if (is()) return;
      await new Promise(setImmediate);
    }
    throw new Error(`it did not come about: ${what}`);
  }

  /** What is said is heard, and what was asked for is delivered, until nobody says anything any more. */
  pump(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const [from, message] of this.heard.splice(0)) {
        busy = true;
        this.take(from, message);
      }
      for (const member of this.members.filter(({ online }) => online)) {
        for (const message of member.inbox.splice(0)) {
          busy = true;
          if ('kind' in message) member.objects.chunk(message);
          else member.objects.control(parseServer(JSON.stringify(message))!, this.now);
        }
        for (let data = member.objects.take(4_096); data; data = member.objects.take(4_096)) {
          busy = true;
          this.chunk(member, parseBinary(data) as ObjectChunk);
        }
      }
      if (this.flowing) this.deliver();
    }
  }

  private deliver(): void {
    for (const st of this.streams.values()) if (st.to.online && st.acceptedIn === st.to.session) st.to.inbox.push(...st.queue.splice(0));
  }

  private chunk(from: FakeMember, c: ObjectChunk): void {
    const st = this.streams.get(c.stream);
    if (!st || st.from !== from || c.turn !== st.turn) return;
    const end = c.offset + c.payload.length;
    if (!st.open || c.offset !== st.next) throw new Error(`chunk-order: ${c.offset} follows ${st.next}`);
    if (end > st.about.size || c.last !== (end === st.about.size)) throw new Error(`chunk-order: up to ${end} of ${st.about.size}`);
    if (end > st.consumed + WINDOW) throw new Error(`credit: up to ${end} with ${st.consumed} consumed`);
    if (!c.last && c.payload.length < 512) throw new Error(`small: ${c.payload.length}`);
    st.next = end;
    this.bytesIn += c.payload.length;
    // As over the network: the sender's buffer is its own.
    st.queue.push(parseBinary(encodeObject(c)) as ObjectChunk);
  }

  private take(from: FakeMember, message: ClientMessage): void {
    if (message.type === 'offer') return this.offer(from, message);
    if (!('stream' in message)) return;
    const st = this.streams.get(message.stream);
    if (!st || (st.from !== from && st.to !== from)) {
      from.refused.push(message);
      from.inbox.push({ type: 'error', code: 'no-such-stream', text: 'there is no such stream' });
      return;
    }
    if (message.type === 'accept') this.accept(st, message.offset);
    else if (message.type === 'credit') this.credit(st, message.offset);
    else if (message.type === 'finish') this.finish(st, message.sha256);
    else if (message.type === 'received') this.received(st);
    else if (message.type === 'cancel') this.cancel(st, from, message.reason);
  }

  private offer(from: FakeMember, { req, object, to, name, size, mime }: Extract<ClientMessage, { type: 'offer' }>): void {
    const target = this.members.find((m) => m.id === to);
    if (!target) return void from.inbox.push({ type: 'error', req, code: 'no-such-member', text: 'there is no such member' });
    let st = [...this.streams.values()].find((s) => s.from === from && s.to === target && s.about.object === object);
    if (!st) {
      st = { number: ++this.numbers, about: { object, name, size, mime }, from, to: target, open: false, acceptedIn: 0, turn: 0, next: 0, consumed: 0, queue: [], sha256: '' };
      this.streams.set(st.number, st);
      this.offered(st);
    }
    from.inbox.push({ type: 'offering', req, object, streams: [{ stream: st.number, to }] });
    if (!st.open) return;
    st.turn++;
    this.accepted(st, st.next);
    from.inbox.push({ type: 'credit', stream: st.number, offset: st.consumed });
  }

  private offered({ number, about: { object, name, size, mime }, from, to }: Stream): void {
    to.inbox.push({ type: 'offered', stream: number, object, from: from.id, name, size, mime });
  }

  private accepted(st: Stream, offset: number): void {
    st.from.inbox.push({ type: 'accepted', stream: st.number, object: st.about.object, to: st.to.id, offset, turn: st.turn });
  }

  private accept(st: Stream, offset: number): void {
    if (st.acceptedIn === st.to.session) throw new Error('accepted-twice');
    if (offset > st.about.size) throw new Error('bad-offset');
    this.accepts.push(offset);
    Object.assign(st, { open: true, acceptedIn: st.to.session, turn: st.turn + 1, next: offset, consumed: offset, queue: [] });
    this.accepted(st, offset);
    if (st.sha256) st.to.inbox.push({ type: 'finish', stream: st.number, sha256: st.sha256 });
  }

  private credit(st: Stream, offset: number): void {
    if (offset < st.consumed || offset > st.next) throw new Error(`bad-offset: ${offset}`);
    st.consumed = offset;
    st.from.inbox.push({ type: 'credit', stream: st.number, offset });
  }

  private finish(st: Stream, sha256: string): void {
    st.sha256 ||= sha256;
    st.to.inbox.push({ type: 'finish', stream: st.number, sha256: st.sha256 });
  }

  private received(st: Stream): void {
    if (!st.open || st.next !== st.about.size || st.queue.length > 0) throw new Error('received too soon');
    this.streams.delete(st.number);
    st.from.inbox.push({ type: 'received', stream: st.number });
  }

  private cancel(st: Stream, by: FakeMember, reason: string): void {
    this.streams.delete(st.number);
    const other = st.from === by ? st.to : st.from;
    other.inbox.push({ type: 'cancel', stream: st.number, reason });
  }
}

function about({ id, name }: FakeMember): object {
  return { id, name, state: 'online', tracks: [] };
}
