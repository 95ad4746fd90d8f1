// A member without a browser: it joins by docs/protocol.md over a plain socket and writes down every control message
// about the others. It asks for no media.

import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { until } from './wait';

export interface RosterEvent {
  type: string;
  id?: string;
  state?: string;
  member?: string | { id: string };
}

/** What others must not see while a member reconnects. */
const breaks = ['memberJoined', 'memberLeft', 'trackAdded', 'trackRemoved'];

const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

export class Observer {
  readonly events: RosterEvent[] = [];
  private unread = Buffer.alloc(0);

  private constructor(private readonly socket: Socket) {
    socket.on('data', (data: Buffer) => this.take(data));
    socket.on('error', () => socket.destroy());
  }

  static async join(server: string, room: string, token = ''): Promise<Observer> {
    const observer = new Observer(await upgrade(server));
    observer.say({ type: 'hello', version: 1, agent: 'observer', decode: { ws: [] } });
    observer.say({ type: 'join', room, name: 'Observer', token });
    await until('the observer is in the room', () => observer.events.some((event) => event.type === 'joined'));
    return observer;
  }

  /** Everything from now on that tells others that somebody came, went, or changed what they publish. */
  watch(): () => RosterEvent[] {
    const start = this.events.length;
    return () => this.events.slice(start).filter((event) => breaks.includes(event.type));
  }

  states(): (string | undefined)[] {
    return this.events.filter((event) => event.type === 'memberState').map((event) => event.state);
  }

  async leave(): Promise<void> {
    this.say({ type: 'bye' });
    await until('the observer was let go', () => this.socket.destroyed || this.socket.readableEnded);
    this.socket.destroy();
  }

  private say(message: object): void {
    this.send(OPCODE.text, Buffer.from(JSON.stringify(message)));
  }

  private send(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4);
    const length = payload.length < 126 ? Buffer.from([0x80 | payload.length]) : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255]);
    const masked = payload.map((byte, i) => byte ^ mask[i % 4]!);
    this.socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, masked]));
  }

  /** Reads the frames that are whole. The relay neither masks nor splits its messages. */
  private take(data: Buffer): void {
    this.unread = Buffer.concat([this.unread, data]);
    for (;;) {
      const { unread } = this;
      if (unread.length < 2) return;
      const short = unread[1]! & 127;
      const head = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (unread.length < head) return;
      const length = short === 127 ? Number(unread.readBigUInt64BE(2)) : short === 126 ? unread.readUInt16BE(2) : short;
      if (unread.length < head + length) return;
      this.unread = unread.subarray(head + length);
      this.frame(unread[0]! & 15, unread.subarray(head, head + length));
    }
  }

  private frame(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.text) this.events.push(JSON.parse(payload.toString()) as RosterEvent);
    else if (opcode === OPCODE.ping) this.send(OPCODE.pong, payload);
    else if (opcode === OPCODE.close) {
      this.send(OPCODE.close, payload);
      this.socket.end();
    }
  }
}

function upgrade(server: string): Promise<Socket> {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Protocol': 'landline.v1',
  };
  return new Promise((resolve, reject) => {
    const asked = request(`${server}/ws`, { headers, agent: false });
    asked.on('upgrade', (_response, socket) => resolve(socket as Socket));
    asked.on('response', (response) => reject(new Error(`the upgrade was answered with ${response.statusCode}`)));
    asked.on('error', reject);
    asked.end();
  });
}
