// A bad UDP path in user space between pages and the relay: datagrams come later and, by chance, not at all. A page goes by it when it is
// given the path's port for that of the relay.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { seeded } from './proxy';

/** One direction. What is lost depends on the seed and on how many datagrams there were, and on nothing else. */
class Flow {
  taken = 0;
  lost = 0;
  private readonly random: () => number;

  constructor(seed: number, private readonly path: Datagrams) {
    this.random = seeded(seed);
  }

  take(send: () => void): void {
    this.taken++;
    if (this.random() < this.path.loss) this.lost++;
    else void pause(this.path.delayMs, undefined, { ref: false }).then(send);
  }
}

export class Datagrams {
  /** Sockets towards the relay, one for each that pages have. */
  private readonly far = new Map<string, Socket>();
  /** Share of datagrams that are lost, 0 to 1, each way: each by itself, whatever became of the one before. */
  loss = 0;
  readonly up: Flow;
  readonly down: Flow;
  private closed = false;

  private constructor(
    private readonly near: Socket,
    private readonly target: number,
    seed: number,
    readonly delayMs: number,
  ) {
    [this.up, this.down] = [new Flow(2 * seed, this), new Flow(2 * seed + 1, this)];
    near.on('message', (data, from) => this.up.take(() => this.pass(data, from)));
  }

  static async open(target: number, seed: number, delayMs: number): Promise<Datagrams> {
    const near = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    await new Promise<void>((bound) => near.bind(0, '127.0.0.1', bound));
    return new Datagrams(near, target, seed, delayMs);
  }

  get port(): number {
    return this.near.address().port;
  }

  close(): void {
    this.closed = true;
    this.near.close();
    for (const socket of this.far.values()) socket.close();
  }

  private pass(data: Buffer, from: RemoteInfo): void {
    if (!this.closed) this.towards(from).send(data, this.target, '127.0.0.1');
  }

  private towards({ address, port }: RemoteInfo): Socket {
    const key = `${address} ${port}`;
    const known = this.far.get(key);
    if (known) return known;
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    socket.on('message', (data) => this.down.take(() => void (this.closed || this.near.send(data, port, address))));
    socket.on('error', () => undefined); // the relay's port is closed at the end
    this.far.set(key, socket);
    return socket;
  }
}
