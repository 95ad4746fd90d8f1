// The world of the game, the same on every page: a square field, dots that are steered, gems that appear where a
// number says. Pure.

/** Length of a side of the field. Everything is measured in it. */
export const FIELD = 1_000;
export const DOT = 26;
export const GEM = 15;
export const GEMS = 9;
/** A dot's way in a second. */
const SPEED = 520;

export interface Point {
  x: number;
  y: number;
}

/** A number from 0 to 1 for some numbers: the same on every page. */
function scattered(...numbers: number[]): number {
  let hash = 0x9e3779b9;
  for (const n of numbers) {
    hash = Math.imul(hash ^ n, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return (hash >>> 0) / 2 ** 32;
}

/** Where the gem of a place lies that has been taken so many times. */
export function gemAt(place: number, taken: number): Point {
  const along = (axis: number): number => 60 + scattered(place + 1, taken + 1, axis) * (FIELD - 120);
  return { x: along(1), y: along(2) };
}

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

export const touches = (dot: Point, gem: Point): boolean => distance(dot, gem) < DOT + GEM;

/** A dot's place after so many seconds on its way to a target. */
export function towards(dot: Point, target: Point, seconds: number): Point {
  const way = distance(dot, target);
  const step = Math.min(way, SPEED * seconds);
  if (step === 0) return dot;
  return inField({ x: dot.x + ((target.x - dot.x) / way) * step, y: dot.y + ((target.y - dot.y) / way) * step });
}

export function inField({ x, y }: Point): Point {
  const within = (n: number): number => Math.min(Math.max(n, DOT), FIELD - DOT);
  return { x: within(x), y: within(y) };
}

/** A point from the wire; undefined when it is none. */
export function pointOf(value: unknown): Point | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [x, y] = value as unknown[];
  return typeof x === 'number' && typeof y === 'number' ? inField({ x, y }) : undefined;
}

/** How often the gem of each place was taken. Who says so first gets the point, and all pages hear it in one order. */
export class Gems {
  readonly taken: number[] = new Array<number>(GEMS).fill(0);

  /** Takes a claim from the wire: whether it is the first for this gem. */
  claim(key: string, value: unknown): boolean {
    const place = Number(key);
    if (!(place in this.taken) || typeof value !== 'number' || !Number.isSafeInteger(value) || value <= this.taken[place]!) return false;
    this.taken[place] = value;
    return true;
  }

  reset(): void {
    this.taken.fill(0);
  }
}
