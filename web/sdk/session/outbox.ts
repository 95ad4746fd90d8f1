// Chat on its way: kept until the relay has surely got it, across reconnects. Pure.

import { newSource } from './source';
import type { Outgoing } from '../wire/messages';
import { MAX_CHAT } from '../wire/messages';

const MAX_WAITING = 100;

/** Bytes of a link, sent and acknowledged. */
interface Counts {
  readonly sent: number;
  readonly acked: number;
}

interface Line {
  req: number;
  /** Its number among all lines of this sender, by which the relay knows it again. */
  n: number;
  text: string;
  /** Position in the stream of the link it was sent on; undefined: not sent yet. */
  sentAt?: number;
}

const utf8 = new TextEncoder();

export class Outbox {
  private lines: Line[] = [];
  private n = 0;
  private readonly source = newSource();

  /** Takes a line; the reason when it cannot be sent. */
  add(req: number, text: string): 'bad-chat' | 'too-many' | undefined {
    const size = utf8.encode(text).length;
    if (size === 0 || size > MAX_CHAT) return 'bad-chat';
    if (this.lines.length >= MAX_WAITING) return 'too-many';
    this.lines.push({ req, text, n: ++this.n });
    return undefined;
  }

  /** Sends what was not sent on this link yet. */
  flush(send: (message: Outgoing) => void, link: Counts): void {
    for (const line of this.lines) {
      if (line.sentAt !== undefined) continue;
      send({ type: 'chat', req: line.req, text: line.text, source: this.source, n: line.n });
      line.sentAt = link.sent;
    }
  }

  /** The relay answered a line: it is done. */
  answered(req: number): void {
    this.lines = this.lines.filter((line) => line.req !== req);
  }

  /** The link is gone: what it did not acknowledge is sent again on the next one. */
  lost(link: Counts): void {
    this.lines = this.lines.filter((line) => line.sentAt === undefined || line.sentAt > link.acked);
    for (const line of this.lines) delete line.sentAt;
  }
}
