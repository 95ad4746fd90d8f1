// The board itself: one row of elements for each symbol, made once and changed in place. At thousands of changes a
// second it is painted eight times a second: more cannot be read.

import type { Market } from './market';
import type { Quote } from './walk';

export type Order = 'name' | 'gain' | 'loss';

const POINTS = 40;
const SPARK = { width: 80, height: 24 };
const FLASH_MS = 500;

const money = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 2, signDisplay: 'exceptZero' });

class Row {
  readonly element = document.createElement('li');
  private readonly price = span('price');
  private readonly change = span('change');
  private readonly line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  private readonly points: number[] = [];
  private flashedAt = 0;
  private shown: number | undefined;
  gain = 0;

  constructor(readonly symbol: string) {
    this.element.className = 'quote';
    const name = span('symbol');
    name.textContent = symbol;
    const spark = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    spark.setAttribute('viewBox', `0 0 ${SPARK.width} ${SPARK.height}`);
    spark.setAttribute('preserveAspectRatio', 'none');
    spark.setAttribute('class', 'spark');
    spark.setAttribute('aria-hidden', 'true');
    spark.append(this.line);
    this.element.append(name, ' ', this.price, ' ', this.change, spark);
  }

  show({ price, open }: Quote, now: number): void {
    if (this.shown !== undefined && price !== this.shown) {
      this.element.dataset['flash'] = price > this.shown ? 'up' : 'down';
      this.flashedAt = now;
    }
    this.shown = price;
    this.gain = price / open - 1;
    this.price.textContent = money.format(price);
    this.change.textContent = percent.format(this.gain);
    this.element.dataset['trend'] = this.gain > 0 ? 'up' : this.gain < 0 ? 'down' : 'even';
    this.points.push(price);
    if (this.points.length > POINTS) this.points.shift();
    this.line.setAttribute('points', path(this.points));
  }

  calm(now: number): void {
    if (this.flashedAt > 0 && now - this.flashedAt > FLASH_MS) {
      delete this.element.dataset['flash'];
      this.flashedAt = 0;
    }
  }
}

function span(name: string): HTMLSpanElement {
  const element = document.createElement('span');
  element.className = name;
  return element;
}

/** A line through prices, over the whole height. */
function path(prices: readonly number[]): string {
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  const { width, height } = SPARK;
  const y = (price: number) => (high > low ? 2 + ((high - price) / (high - low)) * (height - 4) : height / 2);
  const all = prices.length > 1 ? prices : [...prices, ...prices];
  return all.map((price, i) => `${((i / (all.length - 1)) * width).toFixed(1)},${y(price).toFixed(1)}`).join(' ');
}

export class Board {
  order: Order = 'name';
  /** Part of the symbols that are shown. */
  wanted = '';
  private readonly rows = new Map<string, Row>();
  private arranged = '';

  constructor(
    private readonly list: HTMLElement,
    private readonly market: Market,
  ) {}

  paint(now: number): void {
    const { quotes, fresh } = this.market;
    for (const symbol of this.rows.keys()) if (!quotes.has(symbol)) this.rows.delete(symbol);
    for (const symbol of fresh) {
      const quote = quotes.get(symbol);
      if (!quote) continue;
      const row = this.rows.get(symbol) ?? new Row(symbol);
      this.rows.set(symbol, row);
      row.show(quote, now);
    }
    fresh.clear();
    for (const row of this.rows.values()) row.calm(now);
  }

  /** Brings the rows into their order, if it is another one. Returns how many there are. */
  arrange(): number {
    const rows = [...this.rows.values()].filter(({ symbol }) => symbol.includes(this.wanted));
    const turn = { name: 0, gain: -1, loss: 1 }[this.order];
    rows.sort((a, b) => turn * (a.gain - b.gain) || (a.symbol < b.symbol ? -1 : 1));
    const arranged = rows.map(({ symbol }) => symbol).join(' ');
    if (arranged !== this.arranged || this.list.childElementCount !== rows.length) this.list.replaceChildren(...rows.map(({ element }) => element));
    this.arranged = arranged;
    return rows.length;
  }
}
