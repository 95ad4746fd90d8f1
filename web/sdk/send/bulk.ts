// The last class: bytes of objects. They go after everything live, but get a tenth of the link at least while they wait. The
// twin of relay/bulk.go, where the reasons are.

import { nowUs } from '../session/clock';
import type { Link } from '../session/link';
import { MIN_CHUNK } from './rate-filter';

/** What waits; nothing of it is dropped, since whoever fills it keeps to a credit. */
export interface BulkSource {
  readonly waiting: boolean;
  /** The next message, of about so many bytes at most. */
  take(most: number): Uint8Array | undefined;
}

/** Of what else goes while bulk waits, it is owed one part in so many. */
const SHARE = 9;
const MOST_OWED = 65_536;
/** Until the link was seen full. */
const FIRST_PIECE = 4_096;
const QUEUE_US = 35_000;
const BATCH_US = 15_000;
const CHUNK_US = 50_000;
/** Bytes a second. */
const THIN_LINK = 25_000;

const during = (bytesPerSecond: number, us: number): number => Math.trunc((bytesPerSecond * us) / 1e6);

export type BulkLink = Pick<Link, 'room' | 'rate' | 'sendBinary'>;

export class Bulk {
  private owed = 0;

  constructor(private readonly source: BulkSource) {}

  get waiting(): boolean {
    return this.source.waiting;
  }

  /** So many bytes went before. */
  owe(bytes: number): void {
    this.owed = this.waiting ? Math.min(this.owed + bytes / SHARE, MOST_OWED) : Math.min(this.owed, 0);
  }

  /** Sends one piece before all else, when it is owed one. */
  sendOwed(link: BulkLink): void {
    if (this.owed >= MIN_CHUNK) this.owed -= this.send(link);
  }

  /** Sends what there is room for. */
  drain(link: BulkLink): void {
    while (this.send(link) > 0);
  }

  /** Whether something waits that may not go now. */
  held(link: BulkLink): boolean {
    return this.waiting && !this.mayGo(link);
  }

  private send(link: BulkLink): number {
    const message = this.mayGo(link) ? this.source.take(this.piece(link)) : undefined;
    if (message) link.sendBinary(message);
    return message?.length ?? 0;
  }

  /** How long a piece may be, bytes. */
  private piece({ rate }: BulkLink): number {
    const capacity = rate.capacity(nowUs());
    if (capacity === 0) return Math.max(FIRST_PIECE, during(rate.rate, BATCH_US));
    return Math.max(Math.min(during(capacity, CHUNK_US), MIN_CHUNK), during(capacity, BATCH_US));
  }

  /** Before the link was seen full it feels its way; on a thin one there is one piece under way at a time. */
  private mayGo(link: BulkLink): boolean {
    if (link.room <= 0) return false;
    const { rate } = link;
    const now = nowUs();
    const capacity = rate.capacity(now);
    if (capacity === 0) {
      const through = rate.rtt + rate.ackEvery(now) + QUEUE_US;
      return rate.inFlight < Math.max(FIRST_PIECE, 2 * during(rate.rate, through));
    }
    return capacity >= THIN_LINK || rate.inFlight < this.piece(link);
  }
}
