import { beforeEach, expect, test } from 'vitest';
import type { TopicBatch, TopicMode, TopicValue } from './api';
import { TopicError } from './api';
import type { ToWorker } from './bridge';
import { RoomTopics } from './topic';

let posted: ToWorker[];
let topics: RoomTopics;

beforeEach(() => {
  posted = [];
  topics = new RoomTopics({ post: (m) => posted.push(m), flush: () => Promise.resolve() });
});

const value = (key: string, value: unknown, seq: number): TopicValue => ({ key, value, seq, at: 0, by: 'm-2' });
const batch = (anew: boolean, ...values: TopicValue[]): TopicBatch => ({ values, anew, missed: 0, behind: 0 });

test('what is put in one turn goes in one message, as it was when it was put', async () => {
  const topic = topics.get('quotes', 'latest');
  const price = { bid: 1 };
  topic.put('A', price);
  price.bid = 2;
  topic.put('B', 3, { owned: true });
  topic.remove('C');
  expect(posted).toEqual([]);
  await Promise.resolve();
  const values = [
    { key: 'A', json: '{"bid":1}', owned: false, size: 30 },
    { key: 'B', json: '3', owned: true, size: 22 },
    { key: 'C', json: 'null', owned: false, size: 25 },
  ];
  expect(posted).toEqual([{ do: 'put', topic: 'quotes', mode: 'latest', values }]);
});

test('a handler follows, once; values hold what is not gone, and are void when the relay began anew', () => {
  const topic = topics.get('quotes', 'latest');
  const told: number[] = [];
  topic.on('values', ({ values }) => told.push(values.length));
  topic.on('values', () => undefined);
  expect(posted).toEqual([{ do: 'follow', topic: 'quotes', mode: 'latest' }]);
  topics.told('quotes', batch(true, value('A', 1, 1), value('B', 2, 2)));
  topics.told('quotes', batch(false, value('A', null, 3)));
  expect([...topic.values.keys()]).toEqual(['B']);
  topics.told('quotes', batch(true, value('Z', 1, 1)));
  expect([...topic.values.keys()]).toEqual(['Z']);
  topic.close();
  expect(posted.at(-1)).toEqual({ do: 'unfollow', topic: 'quotes' });
  topics.told('quotes', batch(false, value('Y', 1, 2)));
  expect(told).toEqual([2, 1, 1]);
});

test('what cannot be put is said so at once', () => {
  const topic = topics.get('quotes', 'latest');
  const deep = JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) as unknown;
  const bad: [string, unknown][] = [['k', undefined], ['k', () => 1], ['k', 'x'.repeat(4_095)], ['ü'.repeat(65), 1], ['a\nb', 1], ['\ud800', 1], ['k', deep]];
  for (const [key, what] of bad) expect(() => topic.put(key, what)).toThrow(TopicError);
  topic.put('k', 'x'.repeat(4_094));
});

test('a name stands for one topic of one mode', () => {
  expect(topics.get('a', 'lossy')).toBe(topics.get('a', 'lossy'));
  expect(() => topics.get('a', 'latest')).toThrow(/lossy already/);
  expect(() => topics.get('no such name', 'latest')).toThrow(TopicError);
  expect(() => topics.get('b', 'newest' as TopicMode)).toThrow(TopicError);
});
