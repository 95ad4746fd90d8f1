import { expect, test } from 'vitest';
import { roomName } from './names';
import { ROOM_NAME } from './wire/messages';

test.each([
  ['kitchen', 'kitchen'],
  ['  Team meeting  ', 'Team-meeting'],
  ['Küche & Bad', 'Kuche-Bad'],
  ['../etc/passwd', 'etc-passwd'],
  ['-_.~a', 'a'],
  ['a/b?c#d', 'a-b-c-d'],
  ['x'.repeat(80), 'x'.repeat(64)],
  ['会議', ''],
  ['', ''],
  ['---', ''],
])('%j becomes %j', (typed, name) => {
  expect(roomName(typed)).toBe(name);
  if (name) expect(name).toMatch(ROOM_NAME);
});
