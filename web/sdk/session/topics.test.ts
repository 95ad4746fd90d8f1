import { beforeEach, describe, expect, test } from 'vitest';
import type { TopicBatch, TopicMode } from '../api';
import type { ToPage } from '../bridge';
import { parseClient, parseServer } from '../wire/messages';
import type { ClientMessage, Outgoing } from '../wire/messages';
import { Topics } from './topics';
import type { DataLink } from './topics';

type Put = Extract<ClientMessage, { type: 'put' }>;

/** A link that counts a message as 100 bytes; what it sent is read as the relay reads it. */
class FakeLink implements DataLink {
  room = 1e6;
  readonly rate = { sent: 0, acked: 0 };
  readonly messages: ClientMessage[] = [];

  send(message: Outgoing): void {
    this.rate.sent += 100;
    this.messages.push(parseClient(JSON.stringify(message))!);
  }

  get puts(): Put[] {
    return this.messages.filter((m) => m.type === 'put');
  }

  /** Every value that went out, with its number. */
  get values(): [number, string, unknown][] {
    return this.puts.flatMap(({ n, values }) => values.map(({ key, value }, i): [number, string, unknown] => [n + i, key, value]));
  }
}

let now: number;
let link: FakeLink | undefined;
let posted: ToPage[];
let topics: Topics;

beforeEach(() => {
  now = 1_000;
  link = new FakeLink();
  posted = [];
  let req = 0;
  topics = new Topics({ post: (m) => posted.push(m), nextReq: () => ++req, link: () => link }, 'source');
});

function put(name: string, mode: TopicMode, key: string, value: unknown, owned = false): void {
  const json = JSON.stringify(value);
  topics.put(name, mode, [{ key, json, owned, size: key.length + json.length }], now);
}

function run(bytes = 4_096): void {
  if (link) topics.run(link, bytes, now);
}

/** Lets time pass in the steps in which the queue is looked at. */
function pass(ms: number): void {
  for (let t = 0; t < ms; t += 10) {
    now += 10;
    run();
  }
}

function ack(messages: number): void {
  link!.rate.acked = messages * 100;
  topics.acked(link!.rate.acked);
}

function reconnect(): FakeLink {
  topics.lost(link!);
  link = new FakeLink();
  topics.joined();
  return link;
}

function say(message: object): boolean {
  return topics.control(parseServer(JSON.stringify(message))!);
}

function data(epoch: string, from: number, to: number, ...values: [string, unknown, number][]): object {
  const told = values.map(([key, value, seq]) => ({ key, value, seq, atUs: 1_763_629_200_000_000, by: 'm-2' }));
  return { type: 'data', topic: 'quotes', mode: 'latest', epoch, from, to, head: to + 2, values: told };
}

const batches = (): TopicBatch[] => posted.flatMap((m) => (m.is === 'data' ? [m.batch] : []));

describe('saying', () => {
  test('the first value goes at once; until the next turn, 20 ms later, a key gives way to what is newer', () => {
    put('quotes', 'latest', 'A', 1);
    run();
    put('quotes', 'latest', 'A', 2);
    put('quotes', 'latest', 'B', 7);
    put('quotes', 'latest', 'A', 3);
    now += 10;
    run();
    expect(link!.values).toEqual([[1, 'A', 1]]);
    now += 10;
    run();
    expect(link!.values).toEqual([[1, 'A', 1], [2, 'A', 3], [3, 'B', 7]]);
    expect(link!.puts[1]).toMatchObject({ topic: 'quotes', mode: 'latest', source: 'source', n: 2, owned: false });
  });

  test('an ordered topic keeps every value', () => {
    for (let i = 0; i < 5; i++) put('log', 'ordered', 'k', i);
    run();
    expect(link!.values.map(([, , value]) => value)).toEqual([0, 1, 2, 3, 4]);
  });

  test('a message holds so many bytes of values, and one value at least', () => {
    const long = 'x'.repeat(1_498);
    for (const key of ['a', 'b', 'c', 'd']) put('log', 'ordered', key, long);
    run();
    pass(20);
    expect(link!.puts.map(({ values }) => values.length)).toEqual([2, 2]);
    put('log', 'ordered', 'e', long);
    put('log', 'ordered', 'f', long);
    now += 20;
    run(1_200);
    expect(link!.puts[2]!.values.length).toBe(1);
  });

  test('what the member owns goes in messages of its own', () => {
    put('players', 'latest', 'a', 1, true);
    put('players', 'latest', 'b', 2);
    put('players', 'latest', 'c', null);
    run();
    pass(20);
    expect(link!.puts.map(({ owned, values }) => [owned, values.map(({ value }) => value)])).toEqual([[true, [1]], [false, [2, null]]]);
  });

  test('nothing goes without room, and it waits without growing', () => {
    link!.room = 0;
    for (let i = 0; i < 10_000; i++) put('quotes', 'latest', `k${i % 50}`, i);
    pass(100);
    expect(link!.puts).toEqual([]);
    expect(topics.waiting).toBe(true);
    link!.room = 1;
    run();
    expect(link!.values.length).toBe(50);
    expect(link!.values[0]).toEqual([1, 'k0', 9_950]);
    expect(topics.waiting).toBe(false);
  });

  test('topics take turns, and all of them together stay under the messages a second that the relay reads', () => {
    for (let t = 0; t < 1_000; t += 10) {
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) put(name, 'latest', 'k', t);
      now += 10;
      run();
    }
    const counts = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => link!.puts.filter(({ topic }) => topic === name).length);
    expect(link!.puts.length).toBeLessThanOrEqual(100);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(16);
  });

  test('4,096 values wait at most: more is refused by name, and a lossy topic loses its oldest', () => {
    link = undefined;
    for (let i = 0; i < 4_100; i++) {
      put('log', 'ordered', 'k', i);
      put('trail', 'lossy', 'k', i);
    }
    expect(posted).toHaveLength(4);
    expect(posted[0]).toMatchObject({ is: 'topic-refused', topic: 'log', code: 'too-many-values' });
    link = new FakeLink();
    run();
    run();
    pass(20_000);
    const sent = (topic: string): unknown[] => link!.puts.filter((p) => p.topic === topic).flatMap(({ values }) => values.map(({ value }) => value));
    expect([sent('log').length, sent('log')[0]]).toEqual([4_096, 0]);
    expect(sent('trail')[0]).toBe(4);
  });
});

describe('over a reconnect', () => {
  test('what no ack covered is sent again with its numbers, and then what came later: nothing is lost or doubled', () => {
    for (let i = 1; i <= 3; i++) {
      put('log', 'ordered', 'k', i);
      run();
      now += 20;
    }
    const first = link!;
    ack(1);
    put('log', 'ordered', 'k', 4);
    const second = reconnect();
    put('log', 'ordered', 'k', 5);
    run();
    pass(100);
    expect(first.values).toEqual([[1, 'k', 1], [2, 'k', 2], [3, 'k', 3]]);
    expect(second.values).toEqual([[2, 'k', 2], [3, 'k', 3], [4, 'k', 4], [5, 'k', 5]]);
    expect(second.puts.every(({ source }) => source === 'source')).toBe(true);
  });

  test('lossy values are not sent again, and what waited for over 200 ms is not sent at all', () => {
    put('trail', 'lossy', 'k', 1);
    run();
    const second = reconnect();
    put('trail', 'lossy', 'k', 2);
    now += 201;
    put('trail', 'lossy', 'k', 3);
    run();
    expect(second.values).toEqual([[2, 'k', 3]]);
  });

  test('what is followed goes on where it was', () => {
    topics.follow('quotes', 'latest');
    expect(link!.messages).toMatchObject([{ type: 'follow', topic: 'quotes', mode: 'latest', epoch: '', after: 0 }]);
    say(data('e1', 0, 210, ['A', 1, 209]));
    const second = reconnect();
    expect(second.messages).toMatchObject([{ type: 'follow', epoch: 'e1', after: 210 }]);
    topics.unfollow('quotes');
    expect(reconnect().messages).toEqual([]);
    topics.follow('quotes', 'latest');
    expect(link!.messages).toMatchObject([{ type: 'follow', epoch: 'e1', after: 210 }]);
  });
});

describe('being told', () => {
  test('a batch comes once, with how far behind it is', () => {
    topics.follow('quotes', 'latest');
    say(data('e1', 0, 4, ['A', 1, 3], ['B', null, 4]));
    say(data('e1', 2, 4, ['A', 1, 3], ['B', null, 4]));
    say(data('e1', 4, 6, ['A', 2, 6]));
    expect(batches().map(({ anew, behind, values }) => [anew, behind, values.map(({ key, value }) => [key, value])])).toEqual([
      [true, 2, [['A', 1], ['B', null]]],
      [false, 2, [['A', 2]]],
    ]);
    expect(batches()[0]!.values[0]).toEqual({ key: 'A', value: 1, seq: 3, at: 1_763_629_200_000, by: 'm-2' });
  });

  test('a relay that has begun anew is told by its epoch, though its numbers are lower', () => {
    topics.follow('quotes', 'latest');
    say(data('e1', 0, 210, ['A', 1, 210]));
    reconnect();
    say(data('e2', 0, 3, ['A', 9, 3]));
    expect(batches().map(({ anew }) => anew)).toEqual([true, true]);
    expect(reconnect().messages).toMatchObject([{ type: 'follow', epoch: 'e2', after: 3 }]);
  });

  test('a value that nests too deep is left out, what is beside it is told', () => {
    topics.follow('quotes', 'latest');
    const deep = JSON.parse(`${'['.repeat(100)}1${']'.repeat(100)}`) as unknown;
    say(data('e1', 0, 2, ['A', deep, 1], ['B', 2, 2]));
    expect(batches()[0]!.values.map(({ key }) => key)).toEqual(['B']);
  });
});

describe('refusals', () => {
  test('one put: the others go on, and it is not sent again', () => {
    put('quotes', 'latest', 'A', 1);
    run();
    expect(say({ type: 'error', req: link!.puts[0]!.req, code: 'too-many-keys', text: 'the topic is full' })).toBe(true);
    expect(posted).toEqual([{ is: 'topic-refused', topic: 'quotes', code: 'too-many-keys', text: 'the topic is full' }]);
    put('quotes', 'latest', 'B', 2);
    reconnect();
    run();
    expect(link!.values).toEqual([[2, 'B', 2]]);
  });

  test('the topic: nothing more goes, and who waits for it is told why', () => {
    put('quotes', 'latest', 'A', 1);
    put('quotes', 'latest', 'B', 1, true);
    run();
    topics.flush(7, 'quotes');
    say({ type: 'error', req: link!.puts[0]!.req, code: 'no-grant', text: 'the token does not grant data' });
    put('quotes', 'latest', 'C', 1);
    pass(100);
    expect(link!.puts.length).toBe(1);
    expect(posted.at(-1)).toEqual({ is: 'failed', call: 7, code: 'no-grant', text: 'the token does not grant data' });
  });

  test('a follow: it is not asked again by itself', () => {
    topics.follow('quotes', 'latest');
    const [follow] = link!.messages;
    say({ type: 'error', req: (follow as { req: number }).req, code: 'topic-mode', text: 'it is ordered' });
    expect(reconnect().messages).toEqual([]);
    expect(say({ type: 'error', req: 99, code: 'bad-chat', text: '' })).toBe(false);
  });
});

test('a flush is answered when acks cover all that was put, also by the link that was lost', () => {
  topics.flush(1, 'quotes');
  put('quotes', 'latest', 'A', 1);
  topics.flush(2, 'quotes');
  run();
  expect(posted).toEqual([{ is: 'done', call: 1 }]);
  ack(1);
  expect(posted.at(-1)).toEqual({ is: 'done', call: 2 });
  put('quotes', 'latest', 'A', 2);
  topics.flush(3, 'quotes');
  topics.close();
  expect(posted.at(-1)).toMatchObject({ is: 'failed', call: 3, code: 'closed' });
});
