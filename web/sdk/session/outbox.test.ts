import { expect, test } from 'vitest';
import { RateController } from '../send/rate';
import { Outbox } from './outbox';

/** A link that counts a line as its length. */
function link(): { rate: RateController; lines: string[]; send: (m: object) => void } {
  const rate = new RateController();
  const lines: string[] = [];
  const send = (m: object): void => {
    const { text } = m as { text: string };
    lines.push(text);
    rate.onSent(text.length, 0);
  };
  return { rate, lines, send };
}

test('what is typed without a link is sent on the next one, in order, once', () => {
  const outbox = new Outbox();
  outbox.add(1, 'one');
  outbox.add(2, 'two');
  const { rate, lines, send } = link();
  outbox.flush(send, rate);
  outbox.flush(send, rate);
  expect(lines).toEqual(['one', 'two']);
});

test('what the old link did not acknowledge is sent again, what it did is not', () => {
  const outbox = new Outbox();
  const old = link();
  outbox.add(1, 'first');
  outbox.add(2, 'second');
  outbox.add(3, 'third');
  outbox.flush(old.send, old.rate);
  outbox.answered(1);
  old.rate.onAck('firstsecond'.length, 0, 1);
  outbox.lost(old.rate);
  const next = link();
  outbox.flush(next.send, next.rate);
  expect(next.lines).toEqual(['third']);
});

test('bounds: 100 lines wait, each of 1 to 4,096 bytes', () => {
  const outbox = new Outbox();
  expect(outbox.add(1, '')).toBe('bad-chat');
  expect(outbox.add(1, 'ä'.repeat(2_049))).toBe('bad-chat');
  for (let i = 0; i < 100; i++) expect(outbox.add(i, 'x')).toBeUndefined();
  expect(outbox.add(100, 'x')).toBe('too-many');
});
