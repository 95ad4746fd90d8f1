// The topics behind the board: reading quotes, and feeding them if this page is the one that does.

import type { Room, Topic, TopicBatch } from '../../sdk';
import { pack, seedOf, unpack, Walk, type Quote } from './walk';

const TICK_MS = 20;
/** Behind a pause of the page the walk does not catch up for longer than this. */
const MOST_MS = 1_000;
const RATE_MS = 2_000;

/** What was told lately. */
interface Sample {
  at: number;
  /** Values that came, and changes that they stand for. */
  told: number;
  made: number;
}

export interface Rates {
  /** Values told a second. */
  told: number;
  /** Changes a second that the feeder made of them. */
  made: number;
}

export class Market {
  readonly quotes = new Map<string, Quote>();
  /** Symbols that changed since the board last looked. */
  readonly fresh = new Set<string>();
  /** When a quote was last told, by performance.now(). */
  toldAt: number | undefined;
  /** Values that the relay had and this page was not told yet. */
  behind = 0;
  private readonly feed: Topic;
  private readonly duty: Topic;
  private samples: Sample[] = [];
  private walk: Walk | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly off: (() => void)[];

  constructor(
    private readonly room: Room,
    private readonly changed: () => void,
  ) {
    this.feed = room.topic('quotes', 'latest');
    this.duty = room.topic('feeder', 'latest');
    this.off = [
      this.feed.on('values', (batch) => this.take(batch)),
      this.duty.on('values', () => changed()),
      // What was owned is gone where the relay has begun anew.
      room.on('state', (state) => state === 'online' && this.feeding && this.claim()),
    ];
  }

  private take({ values, anew, behind }: TopicBatch): void {
    if (anew) this.quotes.clear();
    const now = performance.now();
    let made = 0;
    for (const { key, value } of values) {
      const quote = unpack(value);
      if (!quote) continue;
      made += Math.max(0, quote.changes - (this.quotes.get(key)?.changes ?? quote.changes));
      this.quotes.set(key, quote);
      this.fresh.add(key);
    }
    this.behind = behind;
    this.samples.push({ at: now, told: anew ? 0 : values.length, made });
    const first = this.toldAt === undefined;
    this.toldAt = now;
    if (first) this.changed();
  }

  rates(now: number): Rates {
    this.samples = this.samples.filter(({ at }) => now - at < RATE_MS);
    const sum = (what: 'told' | 'made') => (this.samples.reduce((total, sample) => total + sample[what], 0) * 1_000) / RATE_MS;
    return { told: sum('told'), made: sum('made') };
  }

  get feeding(): boolean {
    return this.timer !== undefined;
  }

  /** The member that feeds the board, if any. */
  get feeder(): string | undefined {
    const value = this.duty.values.get('feeder')?.value;
    return typeof value === 'string' ? value : undefined;
  }

  /** Makes this page the feeder, at so many changes a second. */
  start(changesPerSecond: number): void {
    clearInterval(this.timer);
    const walk = (this.walk ??= new Walk(seedOf(this.room.name), this.quotes));
    const tell = ([symbol, quote]: [string, Quote]): void => this.feed.put(symbol, pack(quote));
    for (const quote of walk.quotes) tell(quote);
    let done = performance.now();
    this.timer = setInterval(() => {
      const now = performance.now();
      const steps = Math.round((Math.min(now - done, MOST_MS) * changesPerSecond) / 1_000);
      done = now;
      for (let i = 0; i < steps; i++) tell(walk.step());
    }, TICK_MS);
    this.claim();
  }

  private claim(): void {
    this.duty.put('feeder', this.room.self.id, { owned: true });
    this.changed();
  }

  stop(): void {
    if (!this.feeding) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.walk = undefined;
    this.duty.remove('feeder');
    this.changed();
  }

  close(): void {
    this.stop();
    for (const off of this.off) off();
    this.feed.close();
    this.duty.close();
  }
}
