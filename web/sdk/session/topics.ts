// Topics (docs/protocol.md section 17): what is said on them, and how far each was told. The twin of
// signaling/client/topics.go. Pure but for what it is given to send with; time is an argument, in ms.

import type { TopicMode } from '../api';
import type { ToPage } from '../bridge';
import type { Data, Outgoing, ServerMessage } from '../wire/messages';
import { newSource } from './source';
import { MAX_WAITING, TopicQueue } from './topic-queue';
import type { PutValue } from './topic-queue';

/** Values of one put, bytes: sound goes in between. */
const MAX_PUT_BYTES = 4_096;
/** Between two puts of any topics, ms: the relay reads a session more slowly that sends over 200 messages a second. */
const GAP_ALL_MS = 8;

/** What is wrong with the topic, not with one value: nothing more is said or asked on it. */
const FOR_GOOD = new Set(['no-grant', 'bad-topic', 'topic-mode', 'too-many-topics']);

/** A link as far as topics need it. */
export interface DataLink {
  readonly room: number;
  /** Bytes of the link, sent and acknowledged. */
  readonly rate: { readonly sent: number; readonly acked: number };
  send(message: Outgoing): void;
}

export interface TopicsHost {
  post(message: ToPage): void;
  nextReq(): number;
  link(): DataLink | undefined;
}

interface Topic {
  readonly name: string;
  readonly mode: TopicMode;
  readonly queue: TopicQueue;
  followed: boolean;
  /** The newest follow, to know its refusal. */
  followReq: number;
  /** How far it was told. */
  epoch: string;
  to: number;
  /** Nothing goes any more, since the relay refused it. */
  refused: { code: string; text: string } | undefined;
  /** Calls that wait until the relay has all that was put. */
  flushes: number[];
}

export class Topics {
  private topics: Topic[] = [];
  private nextAt = 0;

  constructor(
    private readonly host: TopicsHost,
    /** Tells this sender's numbers from those of others, and is kept from them. */
    private readonly source: string = newSource(),
  ) {}

  put(name: string, mode: TopicMode, values: PutValue[], now: number): void {
    const topic = this.topic(name, mode);
    if (topic.refused) return;
    const left = values.filter((value) => !topic.queue.add(value, now)).length;
    const text = `${left} values were not taken: ${MAX_WAITING} wait to be sent on ${name} already`;
    if (left) this.host.post({ is: 'topic-refused', topic: name, code: 'too-many-values', text });
  }

  /** Asks to be told, from where it was told last. */
  follow(name: string, mode: TopicMode): void {
    const topic = this.topic(name, mode);
    topic.followed = true;
    this.askFor(topic);
  }

  unfollow(name: string): void {
    const topic = this.find(name);
    if (!topic?.followed) return;
    topic.followed = false;
    this.host.link()?.send({ type: 'unfollow', topic: name });
  }

  /** Answers the call when the relay has all that was put. */
  flush(call: number, name: string): void {
    const topic = this.find(name);
    if (!topic) return this.host.post({ is: 'done', call });
    topic.flushes.push(call);
    this.answerFlushes(topic);
  }

  private find(name: string): Topic | undefined {
    return this.topics.find((topic) => topic.name === name);
  }

  private topic(name: string, mode: TopicMode): Topic {
    const known = this.find(name);
    if (known) return known;
    const queue = new TopicQueue(name, mode);
    const topic: Topic = { name, mode, queue, followed: false, followReq: 0, epoch: '', to: 0, refused: undefined, flushes: [] };
    this.topics.push(topic);
    return topic;
  }

  private askFor(topic: Topic): void {
    const link = this.host.link();
    if (!link || topic.refused) return;
    topic.followReq = this.host.nextReq();
    const { name, mode, epoch, to } = topic;
    link.send({ type: 'follow', req: topic.followReq, topic: name, mode, epoch, after: to });
  }

  /** Whether something waits for room, or for its turn. */
  get waiting(): boolean {
    return this.topics.some(({ queue }) => queue.waits);
  }

  /** Sends what is due, topics in turn, as far as there is room; bytes is what one message may take of this link. */
  run(link: DataLink, bytes: number, now: number): void {
    if (link.room <= 0 || now < this.nextAt) return;
    for (const [i, { queue }] of this.topics.entries()) {
      const put = queue.next(this.source, Math.min(bytes, MAX_PUT_BYTES), now, () => this.host.nextReq());
      if (!put) continue;
      link.send(put);
      queue.wentOut(put, link.rate.sent);
      this.nextAt = now + GAP_ALL_MS;
      this.topics.push(...this.topics.splice(i, 1));
      return;
    }
  }

  /** The relay has so many bytes of the link. */
  acked(bytes: number): void {
    for (const topic of this.topics) {
      topic.queue.acked(bytes);
      this.answerFlushes(topic);
    }
  }

  private answerFlushes(topic: Topic): void {
    if (topic.flushes.length === 0 || !topic.queue.idle) return;
    for (const call of topic.flushes.splice(0)) {
      this.host.post(topic.refused ? { is: 'failed', call, ...topic.refused } : { is: 'done', call });
    }
  }

  lost(link: DataLink): void {
    this.acked(link.rate.acked);
    for (const topic of this.topics) {
      topic.queue.lost();
      this.answerFlushes(topic);
    }
    this.nextAt = 0;
  }

  /** A new link: what is followed goes on where it was. */
  joined(): void {
    for (const topic of this.topics) if (topic.followed) this.askFor(topic);
  }

  /** Takes a message about topics; false when it is about something else. */
  control(message: ServerMessage): boolean {
    if (message.type === 'data') {
      this.told(message);
      return true;
    }
    return message.type === 'error' && this.refuse(message.req, message.code, message.text);
  }

  /** Passes a batch on, once. */
  private told(data: Data): void {
    const topic = this.find(data.topic);
    if (!topic) return;
    const anew = data.from === 0;
    if (!anew && data.to <= topic.to) return;
    topic.epoch = data.epoch;
    topic.to = data.to;
    const values = data.values.filter(({ value }) => value !== undefined).map(({ key, value, seq, atUs, by }) => ({ key, value, seq, at: atUs / 1000, by }));
    this.host.post({ is: 'data', topic: data.topic, batch: { values, anew, missed: data.missed, behind: Math.max(0, data.head - data.to) } });
  }

  private refuse(req: number, code: string, text: string): boolean {
    const topic = req > 0 ? this.topics.find((t) => t.queue.refused(req) || t.followReq === req) : undefined;
    if (!topic) return false;
    if (topic.followReq === req) topic.followed = false;
    else if (FOR_GOOD.has(code)) {
      topic.refused = { code, text };
      topic.queue.clear();
    }
    this.host.post({ is: 'topic-refused', topic: topic.name, code, text });
    this.answerFlushes(topic);
    return true;
  }

  /** The room is over. */
  close(): void {
    for (const { flushes } of this.topics) {
      for (const call of flushes.splice(0)) this.host.post({ is: 'failed', call, code: 'closed', text: 'the room is closed' });
    }
  }
}
