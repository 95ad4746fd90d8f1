import { beforeEach, expect, test } from 'vitest';
import type { Outgoing } from '../wire/messages';
import { Preferences } from './preferences';

let sent: Outgoing[];
let linked: boolean;
let preferences: Preferences;

beforeEach(() => {
  sent = [];
  linked = true;
  preferences = new Preferences((m) => linked && sent.push(m) > 0);
});

test('a hidden track is paused, and shown again by taking the subscription back: the standing one applies', () => {
  preferences.set('bob', 'camera', true, 4);
  preferences.set('bob', 'camera', true, 4);
  preferences.set('bob', 'camera', false, 4);
  expect(sent).toEqual([
    { type: 'subscribe', member: 'bob', track: 'camera', paused: true, priority: 4 },
    { type: 'unsubscribe', member: 'bob', track: 'camera' },
  ]);
});

test('what was wanted while there was no link is told after it; a resume repeats nothing', () => {
  preferences.set('bob', 'camera', false, 6);
  linked = false;
  preferences.set('cyd', 'camera', true, 4);
  linked = true;
  preferences.joined(true);
  expect(sent.map((m) => 'member' in m && m.member)).toEqual(['bob', 'cyd']);
});

test('a relay that started anew is told everything again, as is a track that came again', () => {
  preferences.set('bob', 'camera', true, 4);
  preferences.joined(false);
  preferences.added('bob', 'camera');
  preferences.added('bob', 'screen');
  expect(sent.length).toBe(3);
  preferences.forget('bob');
  preferences.joined(false);
  expect(sent.length).toBe(3);
});
