// Acknowledgement of what was received (docs/protocol.md section 8). Counts only; no socket. What the other side
// acknowledges is send/rate.ts's.

import { encodeAck } from '../wire/wire';
import { nowUs } from './clock';

const ACK_INTERVAL = 100;
/** An ack is due at once after so many bytes, and sooner at the start of a connection, while the sender's window grows with acks. */
const ACK_BYTES = 65_536;
const ACK_BYTES_START = 16_384;
const START_BYTES = 524_288;
/** The first messages of a connection are acknowledged one by one, so that the sender learns the path before it fills it. */
const QUICK_ACKS = 16;
const MIN_INTERVAL = 5;
const MAX_INTERVAL = 1_000;

/** Counts what came and says when to acknowledge. */
export class Receipts {
  private bytes = 0;
  private messages = 0;
  private sinceAck = 0;
  private timeUs = 0;
  private interval = ACK_INTERVAL;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly send: (ack: Uint8Array) => void,
    private readonly backlogMs: () => number,
  ) {}

  /** A whole message of size payload bytes came. Acks are counted, and answered only when they have become many. */
  received(size: number, isAck: boolean): void {
    this.bytes += size;
    this.sinceAck += size;
    this.timeUs = nowUs();
    if (!isAck) this.messages++;
    const many = this.bytes < START_BYTES ? ACK_BYTES_START : ACK_BYTES;
    if (this.sinceAck >= many || (!isAck && this.messages <= QUICK_ACKS)) this.acknowledge();
    else if (!isAck) this.timer ??= setTimeout(() => this.acknowledge(), this.interval);
  }

  /** The other side asked for another interval, ms. */
  setInterval(ms: number): void {
    this.interval = Math.min(Math.max(ms, MIN_INTERVAL), MAX_INTERVAL);
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.acknowledge(), this.interval);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private acknowledge(): void {
    this.stop();
    this.sinceAck = 0;
    this.send(encodeAck({ backlog: Math.round(this.backlogMs()), bytes: this.bytes, time: this.timeUs }));
  }
}
