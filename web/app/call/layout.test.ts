import { describe, expect, it } from 'vitest';
import { grid, stage, type Box, type Layout } from './layout';

const overlaps = (a: Box, b: Box) => a.x < b.x + b.w - 0.5 && b.x < a.x + a.w - 0.5 && a.y < b.y + b.h - 0.5 && b.y < a.y + a.h - 0.5;

/** Every layout must be usable: inside, apart, and not squeezed. */
function check({ boxes, height }: Layout, count: number, width: number): void {
  expect(boxes).toHaveLength(count);
  for (const [i, box] of boxes.entries()) {
    expect(box.x).toBeGreaterThanOrEqual(-0.5);
    expect(box.y).toBeGreaterThanOrEqual(-0.5);
    expect(box.x + box.w).toBeLessThanOrEqual(width + 0.5);
    expect(box.y + box.h).toBeLessThanOrEqual(height + 0.5);
    expect(box.w).toBeGreaterThan(0);
    expect(box.h).toBeGreaterThan(0);
    for (const other of boxes.slice(i + 1)) expect(overlaps(box, other)).toBe(false);
  }
}

const areas: [width: number, height: number][] = [
  [344, 600], [700, 240], [736, 880], [1248, 580], [888, 580], [1888, 940], [360, 200],
];

describe('grid', () => {
  for (const [width, height] of areas) {
    it(`holds 1 to 40 tiles in ${width} by ${height}`, () => {
      for (let count = 1; count <= 40; count++) check(grid(count, width, height), count, width);
    });
  }

  it('shows 25 members at once on a laptop, none narrower than 150', () => {
    const { boxes, height } = grid(25, 1248, 580);
    expect(height).toBe(580);
    expect(Math.min(...boxes.map((box) => box.w))).toBeGreaterThanOrEqual(150);
  });

  it('scrolls rather than making tiles too small on a phone', () => {
    const { boxes, height } = grid(25, 344, 600);
    expect(height).toBeGreaterThan(600);
    expect(boxes[0]!.w).toBeGreaterThanOrEqual(150);
  });

  it('puts two beside each other on a wide page and below each other on a tall one', () => {
    const [a, b] = grid(2, 1248, 580).boxes;
    expect(a!.y).toBeCloseTo(b!.y);
    const [c, d] = grid(2, 344, 600).boxes;
    expect(c!.x).toBeCloseTo(d!.x);
  });

  it('centres the last row', () => {
    const { boxes } = grid(5, 1248, 580);
    const last = boxes.slice(3);
    expect(last[0]!.x).toBeCloseTo(1248 - (last[1]!.x + last[1]!.w));
  });

  it('gives nothing to nobody', () => expect(grid(0, 100, 100).boxes).toEqual([]));
});

describe('stage', () => {
  for (const [width, height] of areas) {
    it(`holds 1 to 40 tiles in ${width} by ${height}`, () => {
      for (let count = 1; count <= 40; count++) check(stage(count, width, height), count, width);
    });
  }

  it('gives the first tile most of the room', () => {
    for (const [width, height] of areas) {
      const [large, ...others] = stage(6, width, height).boxes;
      for (const box of others) expect(large!.w * large!.h).toBeGreaterThan(2 * box.w * box.h);
    }
  });

  it('leaves no black bars around a screen on a phone', () => {
    const [large] = stage(3, 344, 600, 16 / 10).boxes;
    expect(large!.w / large!.h).toBeCloseTo(1.6);
  });

  it('gives everything to one alone', () => {
    expect(stage(1, 800, 500).boxes).toEqual([{ x: 0, y: 0, w: 800, h: 500 }]);
  });
});
