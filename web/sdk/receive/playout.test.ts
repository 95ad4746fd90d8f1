import { describe, expect, test } from 'vitest';
import { Playout } from './playout';

describe('a picture is due', () => {
  test('with sound: when its sample is heard, less the 35 ms nobody notices', () => {
    const playout = new Playout();
    const heard = { mediaUs: 5_000_000, localUs: 100_000_000 };
    expect(playout.due(5_080_000, 100_010_000, heard)).toBe(100_045_000);
  });

  test('without sound: a small jitter delay after its timestamp, as it arrives', () => {
    const playout = new Playout();
    for (let i = 0; i < 300; i++) playout.arrived(i * 33_333, 70_000_000 + i * 33_333 + (i % 2) * 8_000);
    const us = 300 * 33_333;
    const wait = playout.due(us, 70_000_000 + us, undefined) - (70_000_000 + us);
    expect(wait).toBeGreaterThanOrEqual(8_000);
    expect(wait).toBeLessThanOrEqual(15_000);
  });

  test('sound that has not been heard of for half a second no longer leads: a mute never stops the picture', () => {
    const playout = new Playout();
    const heard = { mediaUs: 5_000_000, localUs: 100_000_000 };
    for (let i = 0; i < 60; i++) playout.arrived(6_000_000 + i * 33_333, 101_000_000 + i * 33_333);
    const us = 6_000_000 + 60 * 33_333;
    const now = 101_000_000 + 60 * 33_333;
    expect(playout.due(us, now, heard) - now).toBeLessThan(30_000);
  });

  test('no picture waits longer than 0.6 s, whatever a clock says', () => {
    const playout = new Playout();
    const heard = { mediaUs: 0, localUs: 100_000_000 };
    expect(playout.due(9_000_000_000, 100_000_000, heard)).toBe(100_600_000);
  });
});
