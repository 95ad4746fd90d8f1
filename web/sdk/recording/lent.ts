// One file of a recording, as the relay lends it: which bytes are asked for, which are held, and what is told to be consumed.

import type { CloseReason } from '../api';
import type { Outgoing } from '../wire/messages';
import type { ObjectChunk } from '../wire/wire';

/** So far ahead of the credit the relay sends. */
export const AHEAD = 786_432;
/** Credit is given in steps of this. */
export const CREDIT_EVERY = 196_608;
/** What begins so little behind what is on its way is waited for: asking for it would take longer. */
const NEAR = 262_144;
/** Reads that may wait. */
const MAX_READS = 64;

export type Answer = { bytes: Uint8Array<ArrayBuffer> } | { why: CloseReason };

interface Read {
  start: number;
  end: number;
  answer: (answer: Answer) => void;
}

const STOPPED: CloseReason = { code: 'cancelled', text: 'the reading was stopped' };

export class Lent {
  /** Which stream it is on now; 0: none. */
  private stream = 0;
  /** It was accepted in this session, so that what follows `next` comes by itself. */
  private live = false;
  /** What came and was not read, from `from` up to `next`. */
  private held: Uint8Array[] = [];
  private from = 0;
  private next = 0;
  /** What the relay was told last to be consumed. */
  private credited = 0;
  private reads: Read[] = [];
  private why: CloseReason | undefined;

  constructor(
    readonly size: number,
    private readonly send: (message: Outgoing) => boolean,
  ) {}

  /** The relay lends it, for the first time or after a reconnect. */
  offered(stream: number): void {
    this.stream = stream;
    this.live = false;
    this.serve();
  }

  /** Answers reads in their order. */
  read(start: number, end: number, answer: (answer: Answer) => void): void {
    if (this.why) return answer({ why: this.why });
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > this.size) {
      return answer({ why: { code: 'bad-offset', text: `bytes ${start} to ${end} of ${this.size}` } });
    }
    if (this.reads.length >= MAX_READS) return answer({ why: { code: 'overloaded', text: `${MAX_READS} reads wait already` } });
    this.reads.push({ start, end, answer });
    this.serve();
  }

  /** Nothing more is to come until somebody reads. What has come may still be read. */
  stop(): void {
    if (this.live) this.send({ type: 'cancel', stream: this.stream, reason: 'cancelled' });
    this.live = false;
    this.reject(STOPPED);
  }

  /** Whether a message about this stream is about this file. */
  isOn(stream: number): boolean {
    return stream !== 0 && stream === this.stream;
  }

  chunk({ offset, payload }: ObjectChunk): void {
    const end = offset + payload.length;
    // Chunks of a place that was left may go on where this one does, and end elsewhere than its own: what lies behind counts.
    if (!this.live || offset > this.next || end <= this.next) return;
    // More than the relay may send: it is asked again for what is missing.
    if (end > this.size || end > this.credited + AHEAD) {
      this.live = false;
      return this.serve();
    }
    this.held.push(payload.subarray(this.next - offset));
    this.next = end;
    this.serve();
  }

  /** The link is gone, and with it the stream. What is held stays, and what comes next is asked for when it is read. */
  lost(): void {
    this.stream = 0;
    this.live = false;
  }

  /** It cannot be read any more. */
  fail(why: CloseReason): void {
    this.why = why;
    this.leaveFor(0);
    this.reject(why);
  }

  private reject(why: CloseReason): void {
    for (const { answer } of this.reads.splice(0)) answer({ why });
  }

  private serve(): void {
    for (let read = this.reads[0]; read; read = this.reads[0]) {
      if (read.start < this.from || read.start > this.next + NEAR || (read.start > this.next && !this.live)) this.leaveFor(read.start);
      this.skipTo(Math.min(read.start, this.next));
      if (read.end > this.next) break;
      this.reads.shift();
      read.answer({ bytes: this.take(read.end - read.start) });
    }
    const [waiting] = this.reads;
    if (waiting && !this.live && this.stream !== 0) this.accept();
    this.credit(waiting);
  }

  private leaveFor(offset: number): void {
    this.live = false;
    this.held = [];
    this.from = this.next = offset;
  }

  private accept(): void {
    this.live = this.send({ type: 'accept', stream: this.stream, offset: this.next });
    this.credited = this.next;
  }

  /** What was read is consumed, and so is what has come of a read that waits for the rest. */
  private credit(waiting: Read | undefined): void {
    const consumed = waiting ? this.next : this.from;
    if (!this.live || consumed < this.credited + CREDIT_EVERY) return;
    this.credited = consumed;
    this.send({ type: 'credit', stream: this.stream, offset: consumed });
  }

  /** Lets go of what is held before an offset. */
  private skipTo(offset: number): void {
    while (this.held[0] && this.from + this.held[0].length <= offset) this.from += this.held.shift()!.length;
    const [first] = this.held;
    if (!first || this.from >= offset) return;
    this.held[0] = first.subarray(offset - this.from);
    this.from = offset;
  }

  /** The first of what is held, which is that much at least. */
  private take(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const piece of this.held) {
      if (at === length) break;
      const part = piece.subarray(0, length - at);
      bytes.set(part, at);
      at += part.length;
    }
    this.skipTo(this.from + length);
    return bytes;
  }
}
