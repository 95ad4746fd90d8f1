import { expect, test } from 'vitest';
import { pack, seedOf, SYMBOLS, unpack, Walk } from './walk';

test('the same seed walks the same way, another one does not', () => {
  const [a, b, c] = [new Walk(1), new Walk(1), new Walk(2)];
  const steps = (walk: Walk) => Array.from({ length: 1_000 }, () => walk.step());
  const first = steps(a);
  expect(steps(b)).toEqual(first);
  expect(steps(c)).not.toEqual(first);
  expect(a.quotes.size).toBe(SYMBOLS);
});

test('prices stay prices, and changes are counted', () => {
  const walk = new Walk(seedOf('market'));
  for (let i = 0; i < 200_000; i++) walk.step();
  const quotes = [...walk.quotes.values()];
  expect(quotes.reduce((sum, { changes }) => sum + changes, 0)).toBe(200_000);
  expect(quotes.every(({ price, open }) => price > open / 5 && price < open * 5)).toBe(true);
});

test('a walk goes on from what is known', () => {
  const before = new Walk(7);
  for (let i = 0; i < 500; i++) before.step();
  expect(new Walk(7, before.quotes).quotes).toEqual(before.quotes);
});

test('what is no quote is not taken for one', () => {
  const quote = { price: 1.5, open: 2, changes: 3 };
  expect(unpack(JSON.parse(JSON.stringify(pack(quote))))).toEqual(quote);
  for (const bad of [null, 1, 'x', [], [1, 2], [1, 2, '3'], { price: 1 }]) expect(unpack(bad)).toBeUndefined();
});
