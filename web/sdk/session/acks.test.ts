import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseBinary } from '../wire/wire';
import type { Ack } from '../wire/wire';
import { Receipts } from './acks';

describe('acknowledging', () => {
  let acks: Ack[];
  let receipts: Receipts;

  beforeEach(() => {
    vi.useFakeTimers();
    acks = [];
    receipts = new Receipts(
      (data) => acks.push(parseBinary(data) as Ack),
      () => 42.4,
    );
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** The messages of a connection that are acknowledged one by one are over. */
  function settled(): void {
    for (let i = 0; i < 16; i++) receipts.received(1, false);
    acks.length = 0;
  }

  test('at once for each of the first 16 messages other than acks', () => {
    receipts.received(20, true);
    for (let i = 0; i < 16; i++) receipts.received(10, false);
    expect(acks.map((a) => a.bytes)).toEqual(Array.from({ length: 16 }, (_, i) => 30 + 10 * i));
    receipts.received(10, false);
    expect(acks.length).toBe(16);
  });

  test('then one ack within 100 ms, with all bytes, the time of the last of them, and the backlog', () => {
    settled();
    const start = performance.now() * 1000;
    receipts.received(52, false);
    vi.advanceTimersByTime(30);
    receipts.received(21, false);
    vi.advanceTimersByTime(70);
    expect(acks).toEqual([{ kind: 'ack', backlog: 42, bytes: 89, time: Math.round(start + 30_000) }]);
    vi.advanceTimersByTime(1_000);
    expect(acks.length).toBe(1);
  });

  test('acks are counted, and not answered', () => {
    receipts.received(20, true);
    vi.advanceTimersByTime(1_000);
    expect(acks).toEqual([]);
    receipts.received(5, false);
    expect(acks[0]?.bytes).toBe(25);
  });

  test('16 KiB of acks are answered, or the other side would never learn of them', () => {
    for (let i = 0; i < 820; i++) receipts.received(20, true);
    expect(acks.map((a) => a.bytes)).toEqual([16_400]);
  });

  test('at once when 16 KiB have come, and 64 KiB when the connection has carried 512 KiB', () => {
    settled();
    for (let i = 0; i < 8; i++) receipts.received(4_096, false);
    expect(acks.map((a) => a.bytes)).toEqual([16_400, 32_784]);
    while (acks.at(-1)!.bytes < 524_288) receipts.received(4_096, false);
    const before = acks.at(-1)!.bytes;
    for (let i = 0; i < 16; i++) receipts.received(4_096, false);
    expect(acks.at(-1)!.bytes).toBe(before + 65_536);
  });

  test('the interval that the other side asks for applies to the ack that is due', () => {
    settled();
    receipts.received(10, false);
    receipts.setInterval(20);
    vi.advanceTimersByTime(20);
    expect(acks.length).toBe(1);
  });
});
