import { describe, expect, it } from 'vitest';
import { group, rosterNews } from './announce';
import { commandOf, isTyping } from './shortcuts';

const roster = (...members: [id: string, state?: 'online' | 'reconnecting'][]) =>
  new Map(members.map(([id, state = 'online']) => [id, { name: id.toUpperCase(), state }]));

describe('rosterNews', () => {
  it.each([
    ['a join', roster(), roster(['a']), 'A joined.'],
    ['a leave', roster(['a']), roster(), 'A left.'],
    ['a lost connection', roster(['a']), roster(['a', 'reconnecting']), 'A lost the connection.'],
    ['a return', roster(['a', 'reconnecting']), roster(['a']), 'A is back.'],
    ['several at once', roster(['a']), roster(['b'], ['c']), 'B and C joined. A left.'],
    ['nothing', roster(['a']), roster(['a']), ''],
  ])('tells of %s', (_, before, now, news) => expect(rosterNews(before, now)).toBe(news));

  it('stays short for a crowd', () => {
    expect(group(['A', 'B', 'C'])).toBe('A, B and C');
    expect(group(['A', 'B', 'C', 'D', 'E'])).toBe('A, B and 3 others');
  });
});

describe('commandOf', () => {
  const press = (key: string, more = {}) => ({
    key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, defaultPrevented: false, ...more,
  });
  const body = { tagName: 'BODY' };

  it('knows its keys, with caps lock too', () => {
    expect(['m', 'M', 'v', 'c', '?', 'Escape', 'x'].map((key) => commandOf(press(key), body, false))).toEqual([
      'mic', 'mic', 'camera', 'chat', 'help', 'escape', undefined,
    ]);
  });

  it('leaves the letters to whoever is typing', () => {
    for (const target of [{ tagName: 'TEXTAREA' }, { tagName: 'INPUT', type: 'text' }, { tagName: 'SELECT' }, { tagName: 'DIV', isContentEditable: true }]) {
      expect(isTyping(target)).toBe(true);
      expect(commandOf(press('m'), target, false)).toBeUndefined();
      expect(commandOf(press('Escape'), target, false)).toBe('escape');
    }
    expect(commandOf(press('m'), { tagName: 'INPUT', type: 'range' }, false)).toBe('mic');
    expect(commandOf(press('m'), { tagName: 'BUTTON' }, false)).toBe('mic');
  });

  it('leaves combinations to the browser, and everything to an open dialog', () => {
    expect(commandOf(press('c', { ctrlKey: true }), body, false)).toBeUndefined();
    expect(commandOf(press('m', { metaKey: true }), body, false)).toBeUndefined();
    expect(commandOf(press('m', { repeat: true }), body, false)).toBeUndefined();
    expect(commandOf(press('m'), body, true)).toBeUndefined();
  });
});
