import { describe, expect, it } from 'vitest';
import { roomName } from '../sdk/names';
import { displayName, initials, suggestRoom, tint } from './names';

describe('suggestRoom', () => {
  it('gives names that are valid as they stand, for any random number', () => {
    for (const r of [0, 0.25, 0.5, 0.999999]) {
      const name = suggestRoom(() => r);
      expect(roomName(name)).toBe(name);
    }
  });

  it('gives different names', () => {
    expect(new Set(Array.from({ length: 50 }, () => suggestRoom())).size).toBeGreaterThan(45);
  });
});

describe('initials', () => {
  it.each([
    ['Ann', 'A'],
    ['Ann Lee', 'AL'],
    ['ann van der lee', 'AL'],
    ['  Émile  Zola ', 'ÉZ'],
    ['build-bot', 'BB'],
    ['山田', '山'],
    ['(Ann) Lee', 'AL'],
    ['***', '?'],
    ['', '?'],
  ])('of %j are %s', (name, letters) => expect(initials(name)).toBe(letters));
});

describe('displayName', () => {
  it('follows the rules of the protocol', () => {
    expect(displayName('  Ann\u0007Lee ')).toBe('Ann Lee');
    expect([...displayName('😀'.repeat(80))]).toHaveLength(64);
    expect(displayName(' \n ')).toBe('Guest');
  });
});

it('spreads members over all colours', () => {
  const tints = new Set(Array.from({ length: 60 }, (_, i) => tint(`m-${i}`, 6)));
  expect([...tints].sort()).toEqual([0, 1, 2, 3, 4, 5]);
});
