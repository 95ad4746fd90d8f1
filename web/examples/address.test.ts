import { expect, test } from 'vitest';
import { placeOf } from './address';

test.each([
  ['', '', ''],
  ['#market', 'market', ''],
  ['#market&token=a.b-c', 'market', 'a.b-c'],
  ['#token=a.b-c', '', 'a.b-c'],
  ['#Caf%C3%A9', 'Café', ''],
  ['#100%', '100%', ''],
])('%s', (hash, room, token) => {
  expect(placeOf(hash)).toEqual({ room, token });
});
