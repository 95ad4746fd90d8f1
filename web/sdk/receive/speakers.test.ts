import { expect, test } from 'vitest';
import { Speakers } from './speakers';

test('the loudest comes first, and stays listed a moment after the last word', () => {
  const speakers = new Speakers();
  speakers.note('ann', 40, true, 0);
  speakers.note('bob', 20, true, 0);
  speakers.note('cyd', 90, false, 0);
  expect(speakers.changed(10)).toEqual(['bob', 'ann']);
  expect(speakers.changed(20)).toBeUndefined();
  for (let t = 20; t <= 1_000; t += 20) {
    speakers.note('ann', 40, true, t);
    speakers.note('bob', 127, false, t);
  }
  expect(speakers.changed(1_000)).toEqual(['ann']);
  expect(speakers.changed(2_000)).toEqual([]);
});

test('a pause between words does not end it', () => {
  const speakers = new Speakers();
  speakers.note('ann', 30, true, 0);
  speakers.changed(0);
  speakers.note('ann', 127, false, 400);
  expect(speakers.changed(400)).toBeUndefined();
});
