import { expect, test } from 'vitest';
import { distance, DOT, FIELD, gemAt, Gems, GEMS, inField, pointOf, towards } from './world';

test('a dot goes straight to its target, no faster than it can, and stays there', () => {
  let dot = { x: 100, y: 100 };
  dot = towards(dot, { x: 900, y: 100 }, 0.5);
  expect(dot).toEqual({ x: 360, y: 100 });
  dot = towards(dot, { x: 400, y: 100 }, 1);
  expect(dot).toEqual({ x: 400, y: 100 });
  expect(towards(dot, dot, 1)).toBe(dot);
});

test('nobody leaves the field, and what is no point is none', () => {
  expect(inField({ x: -5, y: 2_000 })).toEqual({ x: DOT, y: FIELD - DOT });
  expect(pointOf([1e9, 500])).toEqual({ x: FIELD - DOT, y: 500 });
  for (const bad of [null, [], [1], [1, '2'], { x: 1, y: 2 }, 'ab']) expect(pointOf(bad)).toBeUndefined();
});

test('gems lie in the field, each somewhere else, the same everywhere', () => {
  const places = Array.from({ length: 500 }, (_, i) => gemAt(i % GEMS, Math.floor(i / GEMS)));
  expect(places.every((p) => distance(p, inField(p)) === 0)).toBe(true);
  expect(new Set(places.map(({ x, y }) => `${x} ${y}`)).size).toBe(500);
  expect(gemAt(3, 7)).toEqual(gemAt(3, 7));
});

test('the first claim counts, one for a gem that is gone does not', () => {
  const gems = new Gems();
  expect(gems.claim('2', 1)).toBe(true);
  expect(gems.claim('2', 1)).toBe(false);
  expect(gems.claim('2', 2)).toBe(true);
  for (const [key, value] of [['99', 1], ['x', 1], ['1', null], ['1', 0], ['1', 1.5], ['length', 5]] as const) expect(gems.claim(key, value)).toBe(false);
  expect(gems.taken[2]).toBe(2);
});
