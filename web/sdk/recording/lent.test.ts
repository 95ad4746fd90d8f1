import { beforeEach, describe, expect, test } from 'vitest';
import type { CloseReason } from '../api';
import { LendingRelay } from './lending-relay';
import { AHEAD, CREDIT_EVERY, Lent } from './lent';

const SIZE = 5_000_000;
const bytes = Uint8Array.from({ length: SIZE }, (_, i) => (i * 31 + (i >> 9) * 7) & 255);

let relay: LendingRelay;
let lent: Lent;
let answers: { start: number; bytes?: Uint8Array; why?: CloseReason }[];

beforeEach(() => {
  relay = new LendingRelay(bytes);
  lent = new Lent(SIZE, relay.hear);
  answers = [];
  relay.join(lent);
});

function ask(start: number, end: number): void {
  lent.read(start, end, (answer) => answers.push({ start, ...answer }));
}

/** Reads, and expects what is there. */
function read(start: number, end: number): void {
  ask(start, end);
  relay.pump(lent);
  const answer = answers.pop();
  expect(answer?.why).toBeUndefined();
  expect(Buffer.compare(answer!.bytes!, bytes.subarray(start, end)), `bytes ${start} to ${end}`).toBe(0);
}

describe('reading on', () => {
  test('one read behind the other asks once, and gives credit for what was read alone', () => {
    for (let at = 0; at < 2_000_000; at += 50_000) {
      read(at, at + 50_000);
      expect(relay.sent).toBeLessThanOrEqual(at + 50_000 + AHEAD);
    }
    expect(relay.accepts).toEqual([0]);
    expect(relay.credits.length).toBe(10);
    expect(relay.credits.at(-1)).toBeGreaterThan(2_000_000 - CREDIT_EVERY);
    expect(relay.credits.at(-1)).toBeLessThanOrEqual(2_000_000);
  });

  test('nothing comes before somebody reads, and a pause stops the relay by its credit', () => {
    relay.pump(lent);
    expect([relay.accepts, relay.sent]).toEqual([[], 0]);
    read(0, 300_000);
    const paused = relay.sent;
    expect(paused).toBeLessThanOrEqual(300_000 + AHEAD);
    for (let i = 0; i < 5; i++) relay.pump(lent);
    expect(relay.sent).toBe(paused);
    read(300_000, 900_000);
    expect(relay.accepts).toEqual([0]);
  });

  test('all of it, in pieces of any size, the last byte included', () => {
    for (let at = 0, n = 1; at < SIZE; n = (n * 7) % 90_001) {
      const end = Math.min(SIZE, at + n);
      read(at, end);
      at = end;
    }
    expect([relay.accepts, relay.sent]).toEqual([[0], SIZE]);
  });

  test('a read of more than the relay may be ahead', () => {
    read(0, SIZE);
    expect(relay.sent).toBe(SIZE);
  });

  test('reads are answered in their order, an empty one at once', () => {
    ask(0, 5);
    ask(5, 9);
    expect(answers).toEqual([]);
    relay.pump(lent);
    ask(9, 9);
    expect(answers.map(({ start, bytes }) => [start, bytes?.length])).toEqual([[0, 5], [5, 4], [9, 0]]);
  });
});

describe('elsewhere', () => {
  test('another place is asked for, there and back, and chunks of the former one are ignored', () => {
    read(0, 50_000);
    relay.flowing = false;
    relay.pump(lent);
    ask(4_000_000, 4_100_000);
    relay.pump(lent);
    relay.flowing = true;
    relay.pump(lent);
    expect(answers.map(({ bytes }) => bytes?.length)).toEqual([100_000]);
    read(4_100_000, 4_200_000);
    read(0, 50_000);
    expect(relay.accepts).toEqual([0, 4_000_000, 0]);
  });

  test('chunks of the former place may go on where the new one begins, and end elsewhere than its own', () => {
    relay.flowing = false;
    ask(0, 50_000);
    relay.pump(lent);
    lent.stop();
    answers = [];
    ask(0, 50_000);
    lent.chunk({ kind: 'object', last: false, turn: 1, stream: 1, offset: 0, payload: bytes.slice(0, 9_000) });
    relay.flowing = true;
    relay.pump(lent);
    expect(Buffer.compare(answers[0]!.bytes!, bytes.subarray(0, 50_000))).toBe(0);
    expect(relay.accepts).toEqual([0, 0]);
  });

  test('a little further on is not worth asking for', () => {
    read(0, 10);
    read(200_000, 200_010);
    read(AHEAD + 100_000, AHEAD + 400_000);
    expect(relay.accepts).toEqual([0]);
  });

  test('after stop() nothing comes, reads that waited are taken back, and what has come may still be read', () => {
    read(0, 10);
    relay.flowing = false;
    ask(10, 2_000_000);
    lent.stop();
    expect(answers.pop()?.why?.code).toBe('cancelled');
    expect(relay.cancels).toBe(1);
    relay.flowing = true;
    relay.pump(lent);
    expect(relay.sent).toBe(AHEAD);
    lent.stop();
    expect(relay.cancels).toBe(1);
    read(700_000, 700_100);
    expect(relay.accepts).toEqual([0]);
    read(AHEAD - 1_000, AHEAD + 1_000);
    expect(relay.accepts).toEqual([0, AHEAD]);
  });
});

describe('reconnects', () => {
  test('a read that was under way goes on at what comes next', () => {
    relay.flowing = false;
    ask(0, 900_000);
    relay.flowing = true;
    relay.pump(lent);
    answers = [];
    ask(900_000, 2_000_000);
    relay.cut(lent);
    relay.join(lent);
    relay.pump(lent);
    expect(Buffer.compare(answers[0]!.bytes!, bytes.subarray(900_000, 2_000_000))).toBe(0);
    expect(relay.accepts.length).toBe(2);
    expect(relay.accepts[1]).toBeGreaterThan(900_000);
  });

  test('what is held is still read, and as long as that is enough nothing is asked for', () => {
    read(0, 100_000);
    for (let i = 0; i < 5; i++) {
      relay.cut(lent);
      relay.join(lent);
    }
    read(100_000, 700_000);
    expect(relay.accepts).toEqual([0]);
    read(700_000, 900_000);
    expect(relay.accepts.length).toBe(2);
  });

  test('a read that begins while there is no connection waits for it', () => {
    read(0, 10);
    relay.cut(lent);
    ask(3_000_000, 3_000_100);
    expect(answers).toEqual([]);
    relay.join(lent);
    relay.pump(lent);
    expect(answers[0]!.bytes!.length).toBe(100);
    expect(relay.accepts).toEqual([0, 3_000_000]);
  });
});

describe('what cannot be', () => {
  test.each([[-1, 5], [0, SIZE + 1], [9, 8], [0.5, 2]])('a read of %d to %d', (start, end) => {
    ask(start, end);
    expect(answers[0]?.why?.code).toBe('bad-offset');
  });

  test('a file that is gone rejects what waits and what comes', () => {
    relay.flowing = false;
    ask(0, 10);
    lent.fail({ code: 'left', text: 'gone' });
    ask(0, 10);
    expect(answers.map(({ why }) => why?.code)).toEqual(['left', 'left']);
  });

  test('too many reads at a time', () => {
    relay.flowing = false;
    for (let i = 0; i < 65; i++) ask(i, i + 1);
    expect(answers.map(({ why }) => why?.code)).toEqual(['overloaded']);
  });

  test('a relay that sends more than it may is asked again, and no more is held', () => {
    read(0, 10);
    lent.chunk({ kind: 'object', last: false, turn: 1, stream: 1, offset: AHEAD, payload: new Uint8Array(CREDIT_EVERY + 1_000) });
    read(AHEAD, AHEAD + 10);
    expect(relay.accepts).toEqual([0, AHEAD]);
  });
});
