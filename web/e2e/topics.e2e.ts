// The SDK's engine against the relay, without a page: what is put over a connection that breaks again and again is told
// once each, in order, to a reader whose connection breaks as often.

import { expect } from 'vitest';
import type { ToPage, ToWorker } from '../sdk/bridge';
import { Engine } from '../sdk/engine';
import { e2e } from './harness/house';
import { elapse, until } from './harness/wait';

const VALUES = 4_000;

class Member {
  readonly told: ToPage[] = [];
  private readonly engine: Engine;

  constructor(server: string, name: string) {
    const url = `${server.replace('http', 'ws')}/ws`;
    const options = { url, room: 'ledger', name, token: '', decode: [], receive: false };
    this.engine = new Engine(options, (address, protocol) => new WebSocket(address, protocol), (message) => this.told.push(message));
  }

  do(message: Exclude<ToWorker, { do: 'start' }>): void {
    this.engine.handle(message);
  }

  put(topic: string, mode: 'ordered' | 'latest', ...numbers: number[]): void {
    const values = numbers.map((n) => ({ key: `k${n % 7}`, json: String(n), owned: false, size: 25 }));
    this.do({ do: 'put', topic, mode, values });
  }

  values(topic: string): unknown[] {
    return this.told.flatMap((m) => (m.is === 'data' && m.topic === topic ? m.batch.values.map(({ value }) => value) : []));
  }

  async answered(call: number): Promise<void> {
    await until(`call ${call} is answered`, () => this.told.some((m) => m.is === 'done' && m.call === call));
  }

  get losses(): number {
    return this.told.filter((m) => m.is === 'state' && m.state === 'reconnecting').length;
  }
}

e2e('topics: over connections that break, values are told once each and in order', async ({ house }) => {
  house.cuts = true;
  const proxy = await house.proxy(11);
  const [writer, reader] = [new Member(proxy.url, 'Writer'), new Member(proxy.url, 'Reader')];
  try {
    await exchange(writer, reader, () => proxy.reset());
  } finally {
    writer.do({ do: 'leave', call: 3 });
    reader.do({ do: 'leave', call: 3 });
    await Promise.all([writer.answered(3), reader.answered(3)]);
  }
});

async function exchange(writer: Member, reader: Member, cut: () => void): Promise<void> {
  reader.do({ do: 'follow', topic: 'ledger', mode: 'ordered' });
  reader.do({ do: 'follow', topic: 'prices', mode: 'latest' });
  await until('the reader is in', () => reader.told.some((m) => m.is === 'state' && m.state === 'online'));
  for (let n = 1; n <= VALUES; n += 10) {
    const ten = Array.from({ length: 10 }, (_, i) => n + i);
    writer.put('ledger', 'ordered', ...ten);
    writer.put('prices', 'latest', ...ten);
    if (n % 500 === 251) cut();
    await elapse(8);
  }
  writer.do({ do: 'flush', call: 1, topic: 'ledger' });
  writer.do({ do: 'flush', call: 2, topic: 'prices' });
  await Promise.all([writer.answered(1), writer.answered(2)]);
  await until('the reader has all', () => reader.values('ledger').at(-1) === VALUES);
  expect(reader.values('ledger')).toEqual(Array.from({ length: VALUES }, (_, i) => i + 1));
  const newest = Array.from({ length: 7 }, (_, i) => VALUES - i);
  await until('the newest of each key is told', () => newest.every((n) => reader.values('prices').includes(n)));
  expect(reader.values('prices').length).toBeLessThan(VALUES);
  expect(writer.losses).toBeGreaterThan(4);
  expect(reader.losses).toBeGreaterThan(4);
}
