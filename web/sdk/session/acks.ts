// Acknowledgement (docs/protocol.md section 8), both ends of it. Counts only; no socket.

import { encodeAck } from '../wire/wire';
import { nowUs } from './clock';

export const ACK_INTERVAL = 100;
const ACK_BYTES = 65_536;
const MIN_INTERVAL = 5;
const MAX_INTERVAL = 1_000;

/** The receiving end: counts what came and says when to acknowledge. */
export class Receipts {
  private bytes = 0;
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
    if (this.sinceAck >= ACK_BYTES) this.acknowledge();
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

const RATE_WINDOW_US = 2_000_000;
const RATE_SAMPLE_US = 100_000;
const RTT_WINDOW_MS = 10_000;
const MAX_MARKS = 4_096;

interface Mark {
  end: number;
  at: number;
}

/**
 * The sending end: what was sent and not yet acknowledged, the delivered rate as the receiver's
 * clock tells it, and the round trip.
 */
export class InFlight {
  private sent = 0;
  private acked = 0;
  /** Ends of messages that will be answered by an ack, with the time they were sent, ms. */
  private marks: Mark[] = [];
  private last: { bytes: number; time: number } | undefined;
  private samples: { rate: number; time: number }[] = [];
  private rtts: { rtt: number; at: number }[] = [];
  /** From sending to acknowledgement, ms: of the last acknowledged message, and the shortest on this connection. */
  lastRtt = 0;
  leastRtt = Infinity;

  /** Bytes sent and not yet acknowledged; none where only acks are, which the other side may leave unanswered for long. */
  get bytes(): number {
    return this.marks.length > 0 ? this.sent - this.acked : 0;
  }

  /** Position in the stream behind what was sent so far: see covers(). */
  get position(): number {
    return this.sent;
  }

  /** Whether everything before the position has been acknowledged. */
  covers(position: number): boolean {
    return this.acked >= position;
  }

  onSent(size: number, isAck: boolean, nowMs: number): void {
    this.sent += size;
    if (isAck) return;
    if (this.marks.length < MAX_MARKS) this.marks.push({ end: this.sent, at: nowMs });
    else this.marks[this.marks.length - 1] = { end: this.sent, at: nowMs };
  }

  /** Takes an ack; one that claims more than was sent, or less than before, is ignored. */
  onAck(ack: { bytes: number; time: number }, nowMs: number): void {
    if (ack.bytes > this.sent || ack.bytes < this.acked) return;
    this.acked = ack.bytes;
    let newest: Mark | undefined;
    while (this.marks[0] && this.marks[0].end <= ack.bytes) newest = this.marks.shift();
    if (newest) {
      this.lastRtt = nowMs - newest.at;
      this.leastRtt = Math.min(this.leastRtt, this.lastRtt);
      this.rtts.push({ rtt: this.lastRtt, at: nowMs });
    }
    while (this.rtts[0] && this.rtts[0].at < nowMs - RTT_WINDOW_MS) this.rtts.shift();
    this.sample(ack);
  }

  private sample(ack: { bytes: number; time: number }): void {
    if (!this.last) this.last = { bytes: ack.bytes, time: ack.time };
    const span = ack.time - this.last.time;
    if (span < RATE_SAMPLE_US) return;
    this.samples.push({ rate: ((ack.bytes - this.last.bytes) * 8_000_000) / span, time: ack.time });
    this.last = { bytes: ack.bytes, time: ack.time };
    while (this.samples[0] && this.samples[0].time < ack.time - RATE_WINDOW_US) this.samples.shift();
  }

  /** Highest delivered rate of the last 2 s, bit/s; 0 before one is known. */
  get rate(): number {
    return this.samples.reduce((most, s) => Math.max(most, s.rate), 0);
  }

  /** Shortest time from sending to acknowledgement in the last 10 s, ms; 0 before one is known. */
  get rtt(): number {
    return this.rtts.reduce((least, s) => Math.min(least, s.rtt), this.rtts[0]?.rtt ?? 0);
  }

  /** How long the oldest message that should have been acknowledged has waited, ms. */
  overdue(nowMs: number): number {
    return this.marks[0] ? nowMs - this.marks[0].at : 0;
  }
}
