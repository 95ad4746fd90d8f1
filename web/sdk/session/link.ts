// One WebSocket: whole messages in and out, byte accounting, acks. It knows nothing of rooms.

import { MessageError, parseServer } from '../wire/messages';
import type { Outgoing, ServerMessage } from '../wire/messages';
import { KIND_ACK, KIND_PADDING, parseBinary, WireError } from '../wire/wire';
import type { Abandon, CatchUp, Chunk, End, ObjectChunk } from '../wire/wire';
import { RateController } from '../send/rate';
import { Receipts } from './acks';
import { nowUs } from './clock';

export const SUBPROTOCOL = 'landline.v1';
const CLOSE_UNSUPPORTED = 4405;
const CLOSE_ABNORMAL = 1006;

/** What of a WebSocket is used; a test puts its own here. */
export type Socket = Pick<
  WebSocket,
  'binaryType' | 'bufferedAmount' | 'readyState' | 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose'
>;
export type MakeSocket = (url: string, protocol: string) => Socket;

export type Media = Chunk | Abandon | CatchUp | End | ObjectChunk;

export interface LinkHandler {
  opened(link: Link): void;
  control(link: Link, message: ServerMessage): void;
  media(link: Link, message: Media): void;
  /** An ack came: there may be room for more. */
  acked(link: Link): void;
  closed(link: Link, code: number, reason: string): void;
}

const utf8 = new TextEncoder();

export class Link {
  /** Follows what this connection takes. */
  readonly rate = new RateController();
  /** When a message last came (or the link was made), ms of performance.now(). */
  heardAt = performance.now();
  isOpen = false;
  /** Messages that broke the protocol and were ignored. */
  faults = 0;
  private readonly receipts: Receipts;
  private readonly socket: Socket;
  private dead = false;

  constructor(
    url: string,
    make: MakeSocket,
    public handler: LinkHandler,
    backlogMs: () => number,
  ) {
    this.receipts = new Receipts((ack) => this.transmit(ack, ack.length, true), backlogMs);
    this.socket = make(url, SUBPROTOCOL);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => {
      this.isOpen = true;
      this.heardAt = performance.now();
      this.handler.opened(this);
    };
    this.socket.onmessage = (event: MessageEvent<unknown>) => this.receive(event.data);
    this.socket.onclose = (event) => this.end(event.code, event.reason);
  }

  /** Bytes that may be sent now. What lies in the browser's own buffer counts like what is in flight. */
  get room(): number {
    return this.rate.room(this.socket.bufferedAmount);
  }

  send(message: Outgoing): void {
    const json = JSON.stringify(message);
    this.transmit(json, utf8.encode(json).length, false);
  }

  sendBinary(data: Uint8Array): void {
    this.transmit(data, data.length, false);
  }

  /** Gives the link up: nothing is heard from it any more. */
  discard(code = 1000): void {
    if (this.dead) return;
    this.dead = true;
    this.receipts.stop();
    this.socket.close(code);
  }

  /** Gives the link up and tells the handler, as if the network had. */
  fail(): void {
    if (this.dead) return;
    this.discard();
    this.handler.closed(this, CLOSE_ABNORMAL, '');
  }

  private transmit(data: string | Uint8Array, size: number, isAck: boolean): void {
    if (this.dead || !this.isOpen) return;
    this.socket.send(data as string | Uint8Array<ArrayBuffer>);
    if (isAck) this.rate.onSentAck(size);
    else this.rate.onSent(size, nowUs());
  }

  private receive(data: unknown): void {
    if (this.dead) return;
    this.heardAt = performance.now();
    try {
      if (typeof data === 'string') this.receiveText(data);
      else if (data instanceof ArrayBuffer) this.receiveBinary(new Uint8Array(data));
    } catch (error) {
      if (!(error instanceof WireError) && !(error instanceof MessageError)) throw error;
      this.faults++;
      if (error instanceof WireError && error.fault === 'version') {
        this.discard(CLOSE_UNSUPPORTED);
        this.handler.closed(this, CLOSE_UNSUPPORTED, `unsupported-version: ${error.message}`);
      }
    }
  }

  private receiveText(json: string): void {
    this.receipts.received(utf8.encode(json).length, false);
    const message = parseServer(json);
    if (message?.type === 'ackInterval') this.receipts.setInterval(message.ms);
    else if (message) this.handler.control(this, message);
  }

  private receiveBinary(data: Uint8Array): void {
    const isAck = data[0] === KIND_ACK;
    this.receipts.received(data.length, isAck);
    if (data[0] === KIND_PADDING) return;
    const message = parseBinary(data);
    if (message.kind === 'ack') {
      this.rate.onAck(message.bytes, message.time || nowUs(), nowUs());
      this.handler.acked(this);
    } else this.handler.media(this, message);
  }

  private end(code: number, reason: string): void {
    if (this.dead) return;
    this.dead = true;
    this.receipts.stop();
    this.handler.closed(this, code, reason);
  }
}
