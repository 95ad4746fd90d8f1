import { expect, it } from 'vitest';
import { heightFor } from './demand';

const HD = { width: 1280, height: 720 };

it.each([
  ['a small tile', { width: 220, height: 124 }, 1, 135],
  ['the same on a dense screen', { width: 220, height: 124 }, 2, 240],
  ['a large one', { width: 1067, height: 600 }, 1, 540],
  ['one as large as the picture', HD, 1, 720],
  ['one larger than anything', { width: 9000, height: 5000 }, 2, 0],
  ['one that is not laid out yet', { width: 0, height: 0 }, 1, 0],
])('%s', (_, element, density, height) => {
  expect(heightFor(element, density, HD, true)).toBe(height);
});

it('needs more of a picture that is cut at the edges than of one that is shown whole', () => {
  const narrow = { width: 100, height: 300 };
  expect(heightFor(narrow, 1, HD, true)).toBe(90);
  expect(heightFor(narrow, 1, HD, false)).toBe(270);
});

it('takes the usual shape where the picture is not known yet', () => {
  expect(heightFor({ width: 320, height: 180 }, 1, {}, true)).toBe(180);
});

it('asks for nothing new while a tile changes by little', () => {
  const asked = [330, 335, 340, 345].map((height) => heightFor({ width: height * (16 / 9), height }, 1, HD, true));
  expect(new Set(asked).size).toBe(1);
});
