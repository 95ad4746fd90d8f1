// A bad network in user space: a TCP proxy between pages and the relay that resets connections, goes silent
// without closing them, delays, and limits the rate of each direction, with little or much of a buffer before it.

import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { until } from './wait';

export interface Shape {
  delayMs: number;
  /** Added to the delay, evenly from 0 to this; the order is kept. */
  jitterMs: number;
  /** Bytes a second from the page, and to it; 0 for no limit. */
  up: number;
  down: number;
  /** What may wait in one direction before the sender is held back; kernels hold some more. */
  bufferBytes: number;
}

export const SMALL_BUFFER = 16 << 10;
/** So much that nobody is ever held back. */
export const LARGE_BUFFER = 4 << 20;

const FREE: Shape = { delayMs: 0, jitterMs: 0, up: 0, down: 0, bufferBytes: 64 << 10 };
/** What goes over the limited link in one piece, as packets do. */
const PACKET = 1_200;

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

/** One direction of one connection. */
class Lane {
  /** Packets, and when they have come to the limited link. */
  private readonly queue: { data: Buffer; come: number }[] = [];
  private waiting = 0;
  /** When the link has sent what went before. */
  private free = 0;
  /** How the sender ended, if it has; the receiver is told behind the last of the data. */
  private ended: 'fin' | 'reset' | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private hung = false;
  /** Whether what came began as a WebSocket does. */
  socket: boolean | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly proxy: Proxy,
    private readonly direction: 'up' | 'down',
  ) {
    from.on('data', (data: Buffer) => this.take(data));
    from.on('end', () => this.end('fin'));
    from.on('error', () => this.end('reset'));
    to.on('drain', () => this.pump());
  }

  /** Goes on, or stops, as the proxy says now. */
  pump(): void {
    clearTimeout(this.timer);
    if (this.proxy.silent || this.hung) return void this.from.pause();
    const now = performance.now();
    while (this.queue[0] && this.due() <= now && !this.to.writableNeedDrain) {
      this.free = this.due();
      const { data } = this.queue.shift()!;
      this.waiting -= data.length;
      this.to.write(data);
    }
    if (this.waiting < this.proxy.shape.bufferBytes) this.from.resume();
    if (this.queue[0]) this.timer = setTimeout(() => this.pump(), Math.max(0, this.due() - now));
    else if (this.ended === 'fin') this.to.end();
    else if (this.ended === 'reset') this.to.resetAndDestroy();
  }

  /** When the next packet is through, at the rate of now. A timer that comes late does not slow the link. */
  private due(): number {
    const { data, come } = this.queue[0]!;
    const rate = this.proxy.shape[this.direction];
    return Math.max(this.free, come) + (rate > 0 ? (data.length / rate) * 1000 : 0);
  }

  private end(how: 'fin' | 'reset'): void {
    this.ended = how;
    this.pump();
  }

  private take(data: Buffer): void {
    this.socket ??= data.toString('latin1', 0, 7) === 'GET /ws';
    const { delayMs, jitterMs, bufferBytes } = this.proxy.shape;
    const come = performance.now() + delayMs + jitterMs * this.proxy.random();
    for (let at = 0; at < data.length; at += PACKET) this.queue.push({ data: data.subarray(at, at + PACKET), come });
    this.waiting += data.length;
    if (this.waiting >= bufferBytes) this.from.pause();
    this.pump();
  }

  /** Takes and gives nothing any more. */
  hang(): void {
    this.hung = true;
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
  shape = FREE;
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

  /** Changes some of what the network is like, for what comes from now on. */
  become(shape: Partial<Shape>): void {
    this.shape = { ...this.shape, ...shape };
    if (!this.silent) this.pumpAll();
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

  /** Nothing more goes over the WebSockets that are open; other and new connections go on. */
  hang(): void {
    for (const { lanes } of this.pairs) if (lanes[0].socket) for (const lane of lanes) lane.hang();
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
    const pair: Pair = { near, far, lanes: [new Lane(near, far, this, 'up'), new Lane(far, near, this, 'down')] };
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
