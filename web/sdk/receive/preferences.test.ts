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
  preferences.set('bob', 'camera', { hidden: true, priority: 4, height: 0 });
  preferences.set('bob', 'camera', { hidden: true, priority: 4, height: 0 });
  preferences.set('bob', 'camera', { hidden: false, priority: 4, height: 0 });
  expect(sent).toEqual([
    { type: 'subscribe', member: 'bob', track: 'camera', paused: true, priority: 4 },
    { type: 'unsubscribe', member: 'bob', track: 'camera' },
  ]);
});

test('what was wanted while there was no link is told after it; a resume repeats nothing', () => {
  preferences.set('bob', 'camera', { hidden: false, priority: 6, height: 0 });
  linked = false;
  preferences.set('cyd', 'camera', { hidden: true, priority: 4, height: 0 });
  linked = true;
  preferences.joined(true);
  expect(sent.map((m) => 'member' in m && m.member)).toEqual(['bob', 'cyd']);
});

test('a relay that started anew is told everything again, as is a track that came again', () => {
  preferences.set('bob', 'camera', { hidden: true, priority: 4, height: 0 });
  preferences.joined(false);
  preferences.added('bob', 'camera');
  preferences.added('bob', 'screen');
  expect(sent.length).toBe(3);
  preferences.forget('bob');
  preferences.joined(false);
  expect(sent.length).toBe(3);
});

test('of the height that is of use and the one that the device can do with, the smaller is asked for', () => {
  const heights = (): (number | undefined)[] => sent.map((m) => (m.type === 'subscribe' ? m.height : undefined));
  preferences.set('bob', 'camera', { hidden: false, priority: 4, height: 540 });
  preferences.limit('bob', 'camera', 180);
  expect(preferences.isLimited('bob', 'camera')).toBe(true);
  preferences.set('bob', 'camera', { hidden: false, priority: 4, height: 90 });
  expect(preferences.isLimited('bob', 'camera')).toBe(false);
  preferences.set('bob', 'camera', { hidden: false, priority: 4, height: 0 });
  preferences.limit('bob', 'camera', 0);
  expect(heights()).toEqual([540, 180, 90, 180, undefined]);
  expect(sent.at(-1)?.type).toBe('unsubscribe');
});

test('a track that came again is not limited by how its predecessor was decoded', () => {
  preferences.set('bob', 'camera', { hidden: false, priority: 6, height: 720 });
  preferences.limit('bob', 'camera', 180);
  preferences.added('bob', 'camera');
  expect(sent.at(-1)).toMatchObject({ type: 'subscribe', height: 720 });
  expect(preferences.isLimited('bob', 'camera')).toBe(false);
});
