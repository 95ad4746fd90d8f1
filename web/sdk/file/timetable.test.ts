import { describe, expect, test } from 'vitest';
import { Timetable } from './timetable';

interface Piece {
  us: number;
  duration: number;
}

const MS = 1_000;
const piece = (ms: number, duration = 20): Piece => ({ us: ms * MS, duration: duration * MS });

/** Two tracks, the first with pieces of 40 ms, the second of 20 ms, each of so many ms. */
function filled(ms: number): Timetable<Piece> {
  const table = new Timetable<Piece>([1_000, 1_000]);
  for (let at = 0; at < ms; at += 40) table.put(0, piece(at, 40));
  for (let at = 0; at < ms; at += 20) table.put(1, piece(at));
  return table;
}

function taken(table: Timetable<Piece>, now: number): [number, number][] {
  const all: [number, number][] = [];
  for (let due = table.take(now); due; due = table.take(now)) all.push([due.track, due.piece.us / MS]);
  return all;
}

describe('what is due', () => {
  test('comes by time, whatever the track', () => {
    const table = filled(200);
    table.begin(5_000 * MS);
    expect(taken(table, 5_000 * MS)).toEqual([[0, 0], [1, 0]]);
    expect(taken(table, 5_080 * MS)).toEqual([[1, 20], [0, 40], [1, 40], [1, 60], [0, 80], [1, 80]]);
  });

  test('comes not before it is due, and not before the clock has begun', () => {
    const table = filled(200);
    expect(table.take(10_000 * MS)).toBeUndefined();
    expect(table.wait(10_000 * MS)).toBeUndefined();
    table.begin(10_000 * MS);
    taken(table, 10_000 * MS);
    expect(table.take(10_019 * MS)).toBeUndefined();
    expect(table.wait(10_005 * MS)).toBe(15 * MS);
    expect(table.wait(11_000 * MS)).toBe(0);
  });

  test('has times of one clock', () => {
    const table = filled(200);
    table.begin(7_000 * MS);
    expect(table.due(60 * MS)).toBe(7_060 * MS);
  });

  test('does not wait for a track that is behind', () => {
    const table = filled(100);
    table.put(1, piece(100));
    table.put(1, piece(120));
    table.begin(0);
    taken(table, 100 * MS);
    expect(taken(table, 200 * MS)).toEqual([[1, 120]]);
  });

  test('begins with what begins first, at whatever time', () => {
    const table = new Timetable<Piece>([10, 10]);
    table.put(0, piece(3_600_014));
    table.put(1, piece(3_600_000));
    table.begin(50 * MS);
    expect(taken(table, 50 * MS)).toEqual([[1, 3_600_000]]);
    expect(taken(table, 64 * MS)).toEqual([[0, 3_600_014]]);
  });
});

describe('reading ahead', () => {
  test('stops a second ahead, and goes on when something was taken', () => {
    const table = new Timetable<Piece>([1_000]);
    let at = 0;
    for (; table.wants(0); at += 20) table.put(0, piece(at));
    expect(at).toBe(1_000);
    table.begin(0);
    taken(table, 0);
    expect(table.wants(0)).toBe(true);
  });

  test('stops at so many pieces', () => {
    const table = new Timetable<Piece>([4]);
    let count = 0;
    for (; table.wants(0); count++) table.put(0, piece(count * 40, 40));
    expect(count).toBe(4);
  });

  test('one piece that is longer than that is read', () => {
    const table = new Timetable<Piece>([4]);
    expect(table.wants(0)).toBe(true);
    table.put(0, piece(0, 5_000));
    expect(table.wants(0)).toBe(false);
  });
});

describe('standing still', () => {
  test('a pause moves what is left by as much', () => {
    const table = filled(200);
    table.begin(0);
    taken(table, 40 * MS);
    table.pause(50 * MS);
    expect(table.wait(60 * MS)).toBeUndefined();
    expect(taken(table, 5_000 * MS)).toEqual([]);
    expect(table.position(5_000 * MS)).toBe(50 * MS);
    table.resume(5_050 * MS);
    expect(table.position(5_050 * MS)).toBe(50 * MS);
    expect(table.wait(5_050 * MS)).toBe(10 * MS);
    expect(taken(table, 5_060 * MS)).toEqual([[1, 60]]);
    expect(table.due(60 * MS)).toBe(5_060 * MS);
  });

  test('a pause that is told twice is one pause', () => {
    const table = filled(200);
    table.begin(0);
    table.pause(10 * MS);
    table.pause(90 * MS);
    table.resume(100 * MS);
    table.resume(200 * MS);
    expect(table.due(0)).toBe(90 * MS);
  });

  test('after a machine stood still for long the rest comes as much later, and not in a burst', () => {
    const table = filled(1_000);
    table.begin(0);
    taken(table, 0);
    const burst = taken(table, 800 * MS);
    expect(burst).toEqual([[1, 20]]);
    expect(table.wait(800 * MS)).toBe(20 * MS);
    expect(table.due(40 * MS)).toBe(820 * MS);
  });

  test('after a short while it catches up', () => {
    const table = filled(1_000);
    table.begin(0);
    taken(table, 0);
    taken(table, 300 * MS);
    expect(table.due(0)).toBe(0);
    expect(table.wait(300 * MS)).toBe(20 * MS);
  });
});

describe('the end', () => {
  test('is when the last piece has lasted as long as it does', () => {
    const table = filled(80);
    table.begin(0);
    taken(table, 79 * MS);
    expect(table.over(79 * MS)).toBe(false);
    expect(table.over(80 * MS)).toBe(true);
  });

  test('is not while something waits, or it stands still', () => {
    const table = filled(80);
    table.begin(0);
    expect(table.over(80 * MS)).toBe(false);
    taken(table, 60 * MS);
    table.pause(70 * MS);
    expect(table.over(500 * MS)).toBe(false);
  });

  test('of a round is where the next begins, and the position begins anew', () => {
    const table = new Timetable<Piece>([10]);
    table.round();
    table.put(0, piece(0, 100));
    table.round();
    table.put(0, piece(100, 100));
    table.round();
    table.begin(1_000 * MS);
    expect(table.position(1_090 * MS)).toBe(90 * MS);
    expect(table.position(1_110 * MS)).toBe(10 * MS);
    expect(table.position(9_000 * MS), 'nothing goes on behind what was put').toBe(0);
  });
});

test('all that waits can be taken out at once', () => {
  const table = filled(80);
  expect(table.empty()).toHaveLength(6);
  expect(table.empty()).toEqual([]);
});
