import { describe, expect, test } from 'vitest';
import vectors from '../../../testdata/messages.json';
import { jsonBlocks } from './documents';
import { MessageError, parseClient, parseServer } from './messages';

/** Drops zero values, as the wire does; an empty object in a list is kept, since {} subscribes to everything. */
function sparse(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sparse);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([k, v]) => [k, sparse(v)] as const)
    .filter(([, v]) => v !== undefined && v !== 0 && v !== '' && v !== false && !(Array.isArray(v) && v.length === 0));
  return Object.fromEntries(kept);
}

/** Reads a message with the parser of the side that receives it. */
function read(text: string): unknown {
  const fromServer = /"(from|reason|retryMs|resumed)":/.test(text) || !isClientType(text);
  return fromServer ? parseServer(text) : parseClient(text);
}

function isClientType(text: string): boolean {
  const type = (JSON.parse(text) as { type: string }).type;
  return ['hello', 'join', 'publish', 'configure', 'encoding', 'mute', 'unpublish', 'subscribe', 'unsubscribe', 'keyframe', 'chat', 'put', 'follow', 'unfollow', 'bye', 'offer', 'accept', 'rtcOffer', 'record'].includes(type);
}

describe('shared vectors', () => {
  test.each(vectors.valid.map((m) => [m.type, m] as const))('reads %s without losing a field', (_, message) => {
    expect(sparse(read(JSON.stringify(message)))).toEqual(sparse(message));
  });

  test.each(vectors.invalid)('refuses: $name', ({ text }) => {
    expect(() => parseClient(text)).toThrow(MessageError);
  });

  test.each(vectors.ignored)('accepts: $name', ({ text, type }) => {
    expect(parseClient(text)?.type ?? '').toBe(type);
  });
});

test('every JSON block of docs/protocol.md is read, in both directions, without losing a field', () => {
  const all = jsonBlocks();
  expect(all.length).toBe(vectors.valid.length);
  for (const text of all) expect(sparse(read(text))).toEqual(sparse(JSON.parse(text)));
});

test('what the relay sends is checked as well', () => {
  expect(() => parseServer('{"type":"joined","self":{"id":7}}')).toThrow(MessageError);
  expect(() => parseServer('{"type":"trackAdded","member":"m","track":{"id":"mic","kind":"audio","channels":"two"}}')).toThrow(MessageError);
  expect(() => parseServer('{"type":"drops","tracks":{"length":1}}')).toThrow(MessageError);
  expect(parseServer('{"type":"constructor"}')).toBeUndefined();
});

test('a value of a topic that only nests spoils nothing beside it', () => {
  const deep = `${'['.repeat(2_000)}1${']'.repeat(2_000)}`;
  const data = parseServer(`{"type":"data","topic":"t","mode":"latest","values":[{"key":"a","value":${deep}},{"key":"b","value":null},{"key":"c","value":[[2]]}]}`);
  expect(data).toMatchObject({ values: [{ key: 'a', value: undefined }, { key: 'b', value: null }, { key: 'c', value: [[2]] }] });
  expect(() => parseServer('{"type":"data","topic":"t","mode":"newest"}')).toThrow(MessageError);
});

test('keys have neither control characters nor halves of characters', () => {
  const put = (key: string): string => JSON.stringify({ type: 'put', topic: 't', mode: 'latest', values: [{ key, value: 1 }] });
  expect(parseClient(put('Zürich 🌧'))).toMatchObject({ type: 'put' });
  for (const key of ['a\nb', '\ud800', '\ufffd']) expect(() => parseClient(put(key))).toThrow(MessageError);
});
