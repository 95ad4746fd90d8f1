// Test support: a relay that lends one file, without a network. It holds the viewer to docs/protocol.md sections 18 and 22, and throws
// where one breaks them.

import { parseClient } from '../wire/messages';
import type { Outgoing } from '../wire/messages';
import { AHEAD } from './lent';
import type { Lent } from './lent';

export class LendingRelay {
  readonly accepts: number[] = [];
  readonly credits: number[] = [];
  cancels = 0;
  /** Bytes that were sent. */
  sent = 0;
  /** Whether what is on its way arrives. */
  flowing = true;
  private online = false;
  private next = -1;
  private consumed = 0;
  private stream = 0;
  private readonly way: { stream: number; offset: number; payload: Uint8Array }[] = [];

  constructor(
    readonly bytes: Uint8Array,
    private readonly piece = 16_000,
  ) {}

  readonly hear = (message: Outgoing): boolean => {
    if (!this.online) return false;
    const heard = parseClient(JSON.stringify(message))!;
    if (!('stream' in heard) || heard.stream !== this.stream) throw new Error(`about no stream: ${JSON.stringify(message)}`);
    if (heard.type === 'accept') {
      if (heard.offset > this.bytes.length) throw new Error(`bad-offset: ${heard.offset}`);
      this.accepts.push(heard.offset);
      this.next = this.consumed = heard.offset;
    } else if (heard.type === 'credit') {
      if (this.next < 0 || heard.offset < this.consumed || heard.offset > this.next) throw new Error(`bad-offset: ${heard.offset}`);
      this.credits.push(heard.offset);
      this.consumed = heard.offset;
    } else if (heard.type === 'cancel') {
      this.cancels++;
      this.next = -1;
    } else throw new Error(`not to be said here: ${heard.type}`);
    return true;
  };

  /** A session begins, for the first time or anew. */
  join(lent: Lent): void {
    this.online = true;
    this.next = -1;
    lent.offered(++this.stream);
  }

  cut(lent: Lent): void {
    this.online = false;
    this.way.length = 0;
    lent.lost();
  }

  /** Sends what the credit allows, until nothing more may go. */
  pump(lent: Lent): void {
    for (;;) {
      while (this.next >= 0 && this.next < Math.min(this.bytes.length, this.consumed + AHEAD)) this.send();
      const chunk = this.flowing ? this.way.shift() : undefined;
      if (!chunk) return;
      if (lent.isOn(chunk.stream)) lent.chunk({ kind: 'object', last: false, turn: this.accepts.length, ...chunk });
    }
  }

  private send(): void {
    const payload = this.bytes.slice(this.next, Math.min(this.next + this.piece, this.consumed + AHEAD));
    this.way.push({ stream: this.stream, offset: this.next, payload });
    this.next += payload.length;
    this.sent += payload.length;
  }
}
