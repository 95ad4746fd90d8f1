import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseBinary } from '../wire/wire';
import type { Ack } from '../wire/wire';
import { InFlight, Receipts } from './acks';

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

  test('one ack within 100 ms, with all bytes, the time of the last of them, and the backlog', () => {
    const start = performance.now() * 1000;
    receipts.received(52, false);
    vi.advanceTimersByTime(30);
    receipts.received(21, false);
    vi.advanceTimersByTime(70);
    expect(acks).toEqual([{ kind: 'ack', backlog: 42, bytes: 73, time: Math.round(start + 30_000) }]);
    vi.advanceTimersByTime(1_000);
    expect(acks.length).toBe(1);
  });

  test('acks are counted, and not answered', () => {
    receipts.received(20, true);
    vi.advanceTimersByTime(1_000);
    expect(acks).toEqual([]);
    receipts.received(5, false);
    vi.advanceTimersByTime(100);
    expect(acks[0]?.bytes).toBe(25);
  });

  test('64 KiB of acks are answered, or the other side would stand still one day', () => {
    for (let i = 0; i < 3_277; i++) receipts.received(20, true);
    expect(acks.map((a) => a.bytes)).toEqual([65_540]);
  });

  test('at once when 64 KiB have come', () => {
    for (let i = 0; i < 4; i++) receipts.received(16_384, false);
    expect(acks.map((a) => a.bytes)).toEqual([65_536]);
  });

  test('the interval that the other side asks for applies to the ack that is due', () => {
    receipts.received(10, false);
    receipts.setInterval(20);
    vi.advanceTimersByTime(20);
    expect(acks.length).toBe(1);
  });
});

describe('what is in flight', () => {
  test('own acks alone, which stay unanswered for long, take no room', () => {
    const flight = new InFlight();
    flight.onSent(1_000, false, 0);
    for (let i = 0; i < 100; i++) flight.onSent(20, true, 1);
    expect(flight.bytes).toBe(3_000);
    flight.onAck({ bytes: 1_000, time: 1 }, 2);
    expect(flight.bytes).toBe(0);
  });

  test('falls with acks, and ignores acks that cannot be', () => {
    const flight = new InFlight();
    flight.onSent(1_000, false, 0);
    flight.onSent(500, false, 5);
    expect(flight.bytes).toBe(1_500);
    flight.onAck({ bytes: 1_000, time: 1 }, 30);
    expect(flight.bytes).toBe(500);
    flight.onAck({ bytes: 9_999, time: 2 }, 31);
    flight.onAck({ bytes: 10, time: 3 }, 32);
    expect(flight.bytes).toBe(500);
    expect(flight.rtt).toBe(30);
  });

  test('an ack of ours that is not acknowledged makes nothing overdue', () => {
    const flight = new InFlight();
    flight.onSent(20, true, 0);
    expect(flight.overdue(5_000)).toBe(0);
    flight.onSent(30, false, 5_000);
    expect(flight.overdue(6_000)).toBe(1_000);
    flight.onAck({ bytes: 50, time: 1 }, 6_100);
    expect(flight.overdue(9_000)).toBe(0);
  });

  test('the rate is the highest of the last 2 s by the receiver\'s clock', () => {
    const flight = new InFlight();
    flight.onSent(1_000_000, false, 0);
    flight.onAck({ bytes: 0, time: 0 }, 0);
    flight.onAck({ bytes: 50_000, time: 100_000 }, 1);
    flight.onAck({ bytes: 60_000, time: 200_000 }, 2);
    expect(flight.rate).toBe(4_000_000);
    flight.onAck({ bytes: 70_000, time: 2_300_000 }, 3);
    expect(flight.rate).toBeLessThan(100_000);
  });
});
