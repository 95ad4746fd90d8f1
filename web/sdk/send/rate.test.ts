import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RateController } from './rate';

type Event = [kind: 'sent' | 'acks' | 'wait' | 'acked', at: number, ...numbers: number[]];

const file = new URL('../../../testdata/rate.json', import.meta.url);
const { traces } = JSON.parse(readFileSync(file, 'utf8')) as { traces: { name: string; events: Event[] }[] };

/** What the controller of the relay said after an ack, within one byte for what is rounded. */
function compare(controller: RateController, index: number, now: number, want: readonly number[]): void {
  const said = [controller.window, controller.room(), controller.rate, controller.shown(now), controller.ahead(now) ?? -1];
  want.forEach((each, i) => {
    expect(Math.abs(said[i]! - each), `event ${index}: ${said} instead of ${want}`).toBeLessThanOrEqual(1);
  });
}

describe('what the relay would do', () => {
  test.each(traces)('$name', ({ events }) => {
    const controller = new RateController();
    controller.watch(true);
    events.forEach(([kind, at, ...n], index) => {
      if (kind === 'sent') controller.onSent(n[0]!, at);
      else if (kind === 'acks') controller.onSentAck(n[0]!);
      else if (kind === 'wait') controller.wait(at);
      else {
        expect(controller.onAck(n[0]!, n[1]!, at)).toBe(true);
        compare(controller, index, at, n.slice(2));
      }
    });
    expect(events.length).toBeGreaterThan(100);
  });
});

test('own acks alone, which stay unanswered for long, are not in flight', () => {
  const controller = new RateController();
  controller.onSent(1_000, 0);
  for (let i = 0; i < 100; i++) controller.onSentAck(20);
  expect(controller.inFlight).toBe(3_000);
  controller.onAck(1_000, 1, 2_000);
  expect(controller.inFlight).toBe(0);
  expect(controller.silence(9_000_000)).toBe(0);
});

test('an ack that goes back, or tells of more than was sent, is refused', () => {
  const controller = new RateController();
  controller.onSent(1_000, 0);
  controller.onSent(500, 5_000);
  expect(controller.onAck(1_000, 20_000, 30_000)).toBe(true);
  expect(controller.onAck(9_999, 21_000, 31_000)).toBe(false);
  expect(controller.onAck(10, 22_000, 32_000)).toBe(false);
  expect(controller.inFlight).toBe(500);
  expect(controller.rtt).toBe(30_000);
});

test('what lies in the buffer here takes room as well', () => {
  const controller = new RateController();
  expect(controller.room()).toBe(controller.window);
  expect(controller.room(5_000)).toBe(controller.window - 5_000);
  expect(controller.room(controller.window - 100)).toBe(0);
});

test('only what is under way can be silent', () => {
  const controller = new RateController();
  controller.onSentAck(20);
  expect(controller.silence(5_000_000)).toBe(0);
  controller.onSent(30, 5_000_000);
  expect(controller.silence(6_000_000)).toBe(1_000_000);
});

test('acks are asked for more often for a second after something waited', () => {
  const controller = new RateController();
  expect(controller.ackEvery(0)).toBe(100_000);
  controller.wait(1_000_000);
  expect(controller.ackEvery(1_900_000)).toBe(20_000);
  expect(controller.ackEvery(2_100_000)).toBe(100_000);
});

test('own acks behind a sparse message are not taken for a delay', () => {
  const controller = new RateController();
  let sent = 0;
  for (let i = 0; i < 50; i++) {
    const at = i * 400_000;
    controller.onSent(80, at);
    controller.onSentAck(20);
    expect(controller.onAck((sent += 100), at + 210_000, at + 220_000)).toBe(true);
    controller.onSent(80, at + 230_000);
    expect(controller.onAck((sent += 80), at + 240_000, at + 250_000)).toBe(true);
    expect(controller.delay).toBeLessThan(1_000);
    expect(controller.capacity(at)).toBe(0);
  }
  expect(controller.rtt).toBe(20_000);
});
