import { expect, it } from 'vitest';
import { parsePrefs } from './prefs';

const defaults = parsePrefs(null);

it('starts with microphone and camera on', () => {
  expect(defaults).toMatchObject({ name: '', micOn: true, cameraOn: true, sound: 'clean', picture: 'standard' });
});

it('reads back what was saved', () => {
  const saved = { ...defaults, name: 'Ann', cameraOn: false, sound: 'original', picture: 'high', mic: 'abc' };
  expect(parsePrefs(JSON.stringify(saved))).toEqual(saved);
});

it.each(['', '{', 'null', '[]', '7', '{"name":7,"micOn":"yes","sound":"loud","picture":"8k"}'])('takes %j as nothing', (text) => {
  expect(parsePrefs(text)).toEqual(defaults);
});
