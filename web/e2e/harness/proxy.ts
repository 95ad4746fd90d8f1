// A bad network in user space: a TCP proxy between pages and the relay that resets connections, goes silent
// without closing them, delays, and limits the rate.

import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { until } from './wait';

export interface Shape {
  delayMs: number;
  /** Added to the delay, evenly from 0 to this; the order is kept. */
  jitterMs: number;
  /** 0 for no limit. */
  bytesPerSecond: number;
}

/** A generator of numbers from 0 to 1 that gives the same ones for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What may wait in one direction before the sender is held back, bytes. */
const QUEUE_BYTES = 64 << 10;

/** One direction of one connection. */
class Lane {
  private readonly queue: { data: Buffer; due: number }[] = [];
  private waiting = 0;
  private free = 0;
  /** How the sender ended, if it has; the receiver is told behind the last of the data. */
  private ended: 'fin' | 'reset' | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly proxy: Proxy,
  ) {
    from.on('data', (data: Buffer) => this.take(data));
    from.on('end', () => this.end('fin'));
    from.on('error', () => this.end('reset'));
    to.on('drain', () => this.pump());
  }

  /** Goes on, or stops, as the proxy says now. */
  pump(): void {
    clearTimeout(this.timer);
    if (this.proxy.silent) return void this.from.pause();
    const now = performance.now();
    while (this.queue[0] && this.queue[0].due <= now && !this.to.writableNeedDrain) {
      const { data } = this.queue.shift()!;
      this.waiting -= data.length;
      this.to.write(data);
    }
    if (this.waiting < QUEUE_BYTES) this.from.resume();
    const next = this.queue[0];
    if (next) this.timer = setTimeout(() => this.pump(), Math.max(0, next.due - now));
    else if (this.ended === 'fin') this.to.end();
    else if (this.ended === 'reset') this.to.resetAndDestroy();
  }

  private end(how: 'fin' | 'reset'): void {
    this.ended = how;
    this.pump();
  }

  private take(data: Buffer): void {
    const { delayMs, jitterMs, bytesPerSecond } = this.proxy.shape;
    const sent = performance.now() + delayMs + jitterMs * this.proxy.random();
    const due = Math.max(sent, this.free);
    this.free = due + (bytesPerSecond > 0 ? (data.length / bytesPerSecond) * 1000 : 0);
    this.queue.push({ data, due: this.free });
    this.waiting += data.length;
    if (this.waiting >= QUEUE_BYTES) this.from.pause();
    this.pump();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

interface Pair {
  near: Socket;
  far: Socket;
  lanes: [Lane, Lane];
}

export class Proxy {
  shape: Shape = { delayMs: 0, jitterMs: 0, bytesPerSecond: 0 };
  silent = false;
  /** Connections taken so far. */
  taken = 0;
  readonly random: () => number;
  private readonly pairs = new Set<Pair>();
  private readonly held: Socket[] = [];

  private constructor(
    private readonly server: Server,
    private readonly target: number,
    seed: number,
  ) {
    this.random = seeded(seed);
    server.on('connection', (near) => (this.silent ? this.hold(near) : this.join(near)));
  }

  static async open(target: number, seed: number): Promise<Proxy> {
    const server = createServer({ noDelay: true, pauseOnConnect: true, allowHalfOpen: true });
    const proxy = new Proxy(server, target, seed);
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resets every connection on both sides. New ones are taken at once. */
  reset(): void {
    for (const pair of [...this.pairs]) this.drop(pair);
  }

  /** Nothing goes through in either direction, nothing is closed, new connections get no answer. */
  silence(): void {
    this.silent = true;
    this.pumpAll();
  }

  /** The path is back: what was held goes on, as TCP would have it. */
  restore(): void {
    this.silent = false;
    for (const near of this.held.splice(0)) if (!near.destroyed) this.join(near);
    this.pumpAll();
  }

  /** Lets what is on its way arrive, such as the last words of a page that was closed, and ends. */
  async close(): Promise<void> {
    await until('all connections have ended', () => this.pairs.size === 0, { ms: 2_000, every: 20 }).catch(() => undefined);
    for (const near of this.held.splice(0)) near.destroy();
    for (const pair of [...this.pairs]) this.drop(pair);
    await new Promise((closed) => this.server.close(closed));
  }

  private hold(near: Socket): void {
    near.on('error', () => near.destroy());
    this.held.push(near);
  }

  private join(near: Socket): void {
    this.taken++;
    const far = connect({ port: this.target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const pair: Pair = { near, far, lanes: [new Lane(near, far, this), new Lane(far, near, this)] };
    this.pairs.add(pair);
    for (const socket of [near, far]) {
      socket.on('close', () => near.destroyed && far.destroyed && this.pairs.delete(pair));
    }
    for (const lane of pair.lanes) lane.pump();
  }

  private drop(pair: Pair): void {
    if (!this.pairs.delete(pair)) return;
    for (const lane of pair.lanes) lane.stop();
    pair.near.resetAndDestroy();
    pair.far.resetAndDestroy();
  }

  private pumpAll(): void {
    for (const { lanes } of this.pairs) for (const lane of lanes) lane.pump();
  }
}
