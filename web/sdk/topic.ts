// Topics as the application sees them. What is put within one turn of the page goes to the worker in one message.

import { TopicError } from './api';
import type { PutOptions, Topic, TopicBatch, TopicEvents, TopicMode, TopicValue } from './api';
import type { ToWorker } from './bridge';
import { Emitter } from './emitter';
import type { PutValue } from './session/topic-queue';
import { nestsWithin } from './wire/schema';
import { MAX_KEY, MAX_VALUE, MAX_VALUE_DEPTH, ROOM_NAME, TOPIC_KEY } from './wire/messages';

/** What a value takes in a message besides its key and itself. */
const AROUND_VALUE = 20;

const utf8 = new TextEncoder();

/** The way to the worker. */
export interface Line {
  post(message: ToWorker): void;
  flush(topic: string): Promise<void>;
}

class RoomTopic implements Topic {
  readonly values = new Map<string, TopicValue>();
  private events = new Emitter<TopicEvents>();
  private followed = false;
  private waiting: PutValue[] = [];

  constructor(
    readonly name: string,
    readonly mode: TopicMode,
    private readonly line: Line,
  ) {}

  on<K extends keyof TopicEvents>(event: K, handler: (value: TopicEvents[K]) => void): () => void {
    const off = this.events.on(event, handler);
    if (event === 'values') this.follow();
    return off;
  }

  follow(): void {
    if (this.followed) return;
    this.followed = true;
    this.line.post({ do: 'follow', topic: this.name, mode: this.mode });
  }

  put(key: string, value: unknown, { owned = false }: PutOptions = {}): void {
    this.waiting.push(checked(key, value, owned));
    if (this.waiting.length === 1) queueMicrotask(() => this.handOver());
  }

  remove(key: string): void {
    this.put(key, null);
  }

  private handOver(): void {
    const values = this.waiting.splice(0);
    if (values.length > 0) this.line.post({ do: 'put', topic: this.name, mode: this.mode, values });
  }

  flush(): Promise<void> {
    this.handOver();
    return this.line.flush(this.name);
  }

  close(): void {
    this.events = new Emitter();
    if (!this.followed) return;
    this.followed = false;
    this.line.post({ do: 'unfollow', topic: this.name });
  }

  told(batch: TopicBatch): void {
    if (batch.anew) this.values.clear();
    for (const value of this.mode === 'latest' ? batch.values : []) {
      if (value.value === null) this.values.delete(value.key);
      else this.values.set(value.key, value);
    }
    this.events.emit('values', batch);
  }

  refused(why: TopicEvents['refused']): void {
    this.events.emit('refused', why);
  }
}

function checked(key: string, value: unknown, owned: boolean): PutValue {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new TopicError('bad-value', `the value of "${key}" has no form in JSON`);
  const [keySize, size] = [utf8.encode(key).length, utf8.encode(json).length];
  if (keySize > MAX_KEY || !TOPIC_KEY.test(key)) throw new TopicError('bad-value', `a key has up to ${MAX_KEY} bytes, none of them a control character`);
  if (size > MAX_VALUE) throw new TopicError('bad-value', `the value of "${key}" has ${size} bytes of JSON: up to ${MAX_VALUE} go`);
  if (!nestsWithin(JSON.parse(json), MAX_VALUE_DEPTH)) throw new TopicError('bad-value', `the value of "${key}" nests deeper than ${MAX_VALUE_DEPTH}`);
  return { key, json, owned, size: keySize + size + AROUND_VALUE };
}

const MODES: readonly string[] = ['latest', 'ordered', 'lossy'] satisfies TopicMode[];

/** The topics of a room. */
export class RoomTopics {
  private readonly topics = new Map<string, RoomTopic>();

  constructor(private readonly line: Line) {}

  get(name: string, mode: TopicMode): Topic {
    if (!ROOM_NAME.test(name)) throw new TopicError('bad-topic', `topic "${name}": 1 to 64 characters of A-Z a-z 0-9 _ . ~ -, beginning with a letter or digit`);
    if (!MODES.includes(mode)) throw new TopicError('bad-topic', `mode "${mode}": latest, ordered or lossy`);
    const known = this.topics.get(name);
    if (known && known.mode !== mode) throw new TopicError('topic-mode', `topic "${name}" is ${known.mode} already`);
    const topic = known ?? new RoomTopic(name, mode, this.line);
    this.topics.set(name, topic);
    return topic;
  }

  told(name: string, batch: TopicBatch): void {
    this.topics.get(name)?.told(batch);
  }

  refused(name: string, why: TopicEvents['refused']): void {
    this.topics.get(name)?.refused(why);
  }
}
