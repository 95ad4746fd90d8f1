// Test support: sockets and a relay without a network. Time is vitest's fake time.

import { parseClient } from '../wire/messages';
import type { ClientMessage } from '../wire/messages';
import { encodeAck, parseBinary } from '../wire/wire';
import type { Socket } from './link';

export class FakeSocket implements Socket {
  binaryType: BinaryType = 'blob';
  bufferedAmount = 0;
  readyState = 0;
  onopen: ((this: WebSocket, event: Event) => void) | null = null;
  onmessage: ((this: WebSocket, event: MessageEvent) => void) | null = null;
  onclose: ((this: WebSocket, event: CloseEvent) => void) | null = null;
  readonly control: ClientMessage[] = [];
  readonly binary: Uint8Array[] = [];
  received = 0;
  closedWith: number | undefined;

  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    if (typeof data === 'string') {
      this.received += new TextEncoder().encode(data).length;
      const message = parseClient(data);
      if (message) this.control.push(message);
    } else if (data instanceof Uint8Array) {
      this.received += data.length;
      this.binary.push(data);
    }
  }

  close(code?: number): void {
    this.closedWith = code ?? 1005;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.call(this as unknown as WebSocket, new Event('open'));
  }

  say(message: object): void {
    this.deliver(JSON.stringify(message));
  }

  deliver(data: string | Uint8Array): void {
    const payload = typeof data === 'string' ? data : data.slice().buffer;
    this.onmessage?.call(this as unknown as WebSocket, { data: payload } as MessageEvent);
  }

  /** The relay's ack of everything it was sent so far. */
  ack(): void {
    this.deliver(encodeAck({ backlog: 0, bytes: this.received, time: Math.round(performance.now() * 1000) }));
  }

  /** The network, or the relay, closes. */
  drop(code: number, reason = ''): void {
    this.onclose?.call(this as unknown as WebSocket, { code, reason } as CloseEvent);
  }

  /** Types of the control messages that were sent. */
  get types(): string[] {
    return this.control.map((m) => m.type);
  }

  get acks(): { bytes: number }[] {
    return this.binary.map((data) => parseBinary(data)).filter((m) => m.kind === 'ack');
  }
}

/** Hands out sockets and remembers them. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = [];
  readonly make = (): FakeSocket => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  };

  get last(): FakeSocket {
    return this.sockets.at(-1)!;
  }
}

export const JOINED = {
  type: 'joined',
  room: 'kitchen',
  resumed: false,
  resume: 'r-1',
  graceMs: 30_000,
  self: { id: 'm-1', name: 'Ann', state: 'online', tracks: [] },
  members: [],
};
