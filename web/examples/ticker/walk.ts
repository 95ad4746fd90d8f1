// A market to look at: prices that walk at random. Pure; the same seed gives the same walk.

export const SYMBOLS = 200;

/** A generator of numbers from 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number from text. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  return hash >>> 0;
}

/** What the board tells of a symbol. */
export interface Quote {
  price: number;
  /** The price at which the walk began. */
  open: number;
  /** How often it has changed: a reader that was told less often knows what it was spared. */
  changes: number;
}

/** On the wire a quote is a short list: at thousands a second names of fields would be most of it. */
export const pack = ({ price, open, changes }: Quote): [number, number, number] => [price, open, changes];

/** A quote from the wire; undefined when it is none. */
export function unpack(value: unknown): Quote | undefined {
  if (!Array.isArray(value) || value.length !== 3 || !value.every((n) => typeof n === 'number' && Number.isFinite(n))) return undefined;
  const [price, open, changes] = value as [number, number, number];
  return { price, open, changes };
}

export class Walk {
  readonly quotes = new Map<string, Quote>();
  private readonly names: string[];
  private readonly random: () => number;

  /** known: quotes that somebody else told before, from which it goes on. */
  constructor(seed: number, known: ReadonlyMap<string, Quote> = new Map()) {
    this.random = seeded(seed);
    this.names = symbols(this.random);
    for (const name of this.names) {
      const open = cents(8 * 60 ** this.random());
      this.quotes.set(name, known.get(name) ?? { price: open, open, changes: 0 });
    }
  }

  /** Changes the price of one symbol. Some change more often than others, as in any market. */
  step(): [string, Quote] {
    const name = this.names[Math.floor(this.names.length * this.random() ** 1.6)]!;
    const { price, open, changes } = this.quotes.get(name)!;
    const pull = 0.0004 * Math.log(open / price);
    const moved = cents(price * (1 + 0.002 * (this.random() + this.random() - 1) + pull));
    const quote = { price: Math.max(0.01, moved), open, changes: changes + 1 };
    this.quotes.set(name, quote);
    return [name, quote];
  }
}

const cents = (price: number): number => Math.round(price * 100) / 100;

/** Names that can be said: consonant, vowel, consonant, and now and then one more. */
function symbols(random: () => number): string[] {
  const pick = (letters: string): string => letters[Math.floor(random() * letters.length)]!;
  const names = new Set<string>();
  while (names.size < SYMBOLS) {
    const tail = random() < 0.4 ? pick('XZSTK') : '';
    names.add(pick('BCDFGHKLMNPRSTVW') + pick('AEIOU') + pick('BDGKLMNPRSTX') + tail);
  }
  return [...names];
}
