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
/** Where nothing of objects went for so long, what the link took before tells nothing, µs. */
const REST_US = 1_000_000;
/** Something stands on the path that is later than the quickest by so much, µs. */
const QUEUED_US = 25_000;
const QUEUE_US = 35_000;
const BATCH_US = 15_000;
const CHUNK_US = 50_000;
/** Bytes a second. */
const THIN_LINK = 25_000;

const during = (bytesPerSecond: number, us: number): number => Math.trunc((bytesPerSecond * us) / 1e6);

export type BulkLink = Pick<Link, 'room' | 'rate' | 'sendBinary'>;

export class Bulk {
  private owed = 0;
  /** When something of objects last went, what has come through since they began without a queue on the path, and all that had. */
  private sentAt = -Infinity;
  private through = 0;
  private acked = 0;

  constructor(private readonly source: BulkSource) {}

  get waiting(): boolean {
    return this.source.waiting;
  }

  /** A new connection: nothing is known of it. */
  joined(): void {
    this.sentAt = -Infinity;
  }

  /** So many bytes went before. */
  owe(bytes: number): void {
    this.owed = this.waiting ? Math.min(this.owed + bytes / SHARE, MOST_OWED) : Math.min(this.owed, 0);
  }

  /** Sends one piece before all else, when it is owed one. */
  sendOwed(link: BulkLink): void {
    if (this.owed >= MIN_CHUNK && this.mayGoBeside(link)) this.owed -= this.send(link);
  }

  /** Sends what there is room for; whether there was any. */
  drain(link: BulkLink): boolean {
    let any = false;
    while (this.mayGo(link) && this.send(link) > 0) any = true;
    return any;
  }

  /** Whether something waits that may not go now. */
  held(link: BulkLink): boolean {
    return this.waiting && !this.mayGo(link);
  }

  private send(link: BulkLink): number {
    const message = this.source.take(this.piece(link));
    if (!message) return 0;
    link.sendBinary(message);
    this.sentAt = nowUs();
    return message.length;
  }

  /** How long a piece may be, bytes. */
  private piece({ rate }: BulkLink): number {
    const capacity = rate.capacity(nowUs());
    if (capacity === 0) return Math.max(FIRST_PIECE, during(rate.rate, BATCH_US));
    return Math.max(Math.min(during(capacity, CHUNK_US), MIN_CHUNK), during(capacity, BATCH_US));
  }

  /**
   * How much may be in flight: half of what came through since objects began without a queue on the path, and before the link was seen full
   * no more than twice what the best rate so far brings through.
   */
  private felt({ rate }: BulkLink): number {
    const now = nowUs();
    if (now - this.sentAt > REST_US) this.through = 0;
    else if (rate.delay < QUEUED_US) this.through += rate.acked - this.acked;
    this.acked = rate.acked;
    const most = rate.capacity(now) > 0 ? Infinity : 2 * during(rate.rate, rate.rtt + rate.ackEvery(now) + QUEUE_US);
    return Math.max(FIRST_PIECE, Math.min(FIRST_PIECE + Math.trunc(this.through / 2), most));
  }

  private mayGo(link: BulkLink): boolean {
    return link.rate.inFlight < this.felt(link) && this.mayGoBeside(link);
  }

  /** Of what it is owed: on a thin link there is one piece under way at a time. */
  private mayGoBeside(link: BulkLink): boolean {
    if (link.room <= 0) return false;
    const capacity = link.rate.capacity(nowUs());
    return capacity === 0 || capacity >= THIN_LINK || link.rate.inFlight < this.piece(link);
  }
}
