// Moves what waits into the link, as far as there is room. What waits here can still be dropped or overtaken.

import { nowUs } from '../session/clock';
import type { Link } from '../session/link';
import type { Outgoing } from '../wire/messages';
import { Bulk } from './bulk';
import type { BulkSource } from './bulk';
import { ACK_EVERY_US } from './rate';
import { chunkSize, MAX_AGE } from './uplink';
import type { Uplink } from './uplink';

/** While something waits it may become too old, or the browser's own buffer may empty, without an ack that tells. */
const POLL_MS = 10;

/** Interactive data (session/topics.ts): it goes behind sound and before pictures. */
export interface DataQueue {
  readonly waiting: boolean;
  /** Sends what is due, as far as there is room, in messages of at most so many bytes. */
  run(link: Link, bytes: number, now: number): void;
}

export interface PumpHost {
  readonly data: DataQueue;
  /** Objects (objects/objects.ts): they go last. */
  readonly objects: BulkSource;
  link(): Link | undefined;
  /** Sends a control message; false when there is no link now. */
  send(message: Outgoing): boolean;
}

export class Pump {
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The time between acks that the relay was last asked for, µs. */
  private asked = ACK_EVERY_US;
  /** Where the newest that was sent of pictures and objects ends, in bytes of the connection. */
  private behind = 0;
  private readonly bulk: Bulk;

  constructor(
    private readonly uplink: Uplink,
    private readonly host: PumpHost,
  ) {
    this.bulk = new Bulk(host.objects);
  }

  /** Control went before; audio goes first, data next, pictures, and objects last. */
  run(): void {
    const link = this.host.link();
    if (!link) return;
    for (const abandon of this.uplink.expire(performance.now())) link.sendBinary(abandon);
    const capacity = link.rate.capacity(nowUs());
    const size = chunkSize(capacity || link.rate.rate);
    const { data } = this.host;
    const { bulk } = this;
    this.drain(link, () => this.uplink.nextSound(size));
    const before = link.rate.sent;
    // What was delivered of data alone tells what was put, not what the link takes.
    data.run(link, chunkSize(capacity), performance.now());
    bulk.owe(link.rate.sent - before);
    const { video } = this.uplink.sent;
    this.drain(link, () => this.uplink.next(size));
    if (this.uplink.sent.video > video) this.behind = link.rate.sent;
    this.sendSoundInTime(link, size);
    if (bulk.drain(link)) this.behind = link.rate.sent;
    const held = (data.waiting && link.room <= 0) || bulk.held(link);
    if (held || this.uplink.ready) link.rate.wait(nowUs());
    this.askForAcks(link);
    if (!this.uplink.waiting && !data.waiting && !bulk.waiting) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.run();
    }, POLL_MS);
  }

  private drain(link: Link, next: () => Uint8Array | undefined): void {
    while (link.room > 0) {
      this.bulk.sendOwed(link);
      const chunk = link.room > 0 ? next() : undefined;
      if (!chunk) return;
      link.sendBinary(chunk);
      this.bulk.owe(chunk.length);
    }
  }

  /** Sound that has waited for half of its time behind pictures or objects goes over a full window, if it is in time then (relay/link.go: soundInTime). */
  private sendSoundInTime(link: Link, size: number): void {
    while (link.room <= 0 && link.rate.acked < this.behind) {
      const ahead = link.rate.ahead(nowUs());
      const age = this.uplink.soundAge(performance.now());
      if (ahead === undefined || age <= MAX_AGE.audio / 2 || age + ahead / 1000 > MAX_AGE.audio) return;
      const chunk = this.uplink.nextSound(size);
      if (!chunk) return;
      link.sendBinary(chunk);
    }
  }

  private askForAcks(link: Link): void {
    const every = link.rate.ackEvery(nowUs());
    if (every === this.asked) return;
    this.asked = every;
    this.host.send({ type: 'ackInterval', ms: every / 1000 });
  }

  /** A new connection: the relay acknowledges as it does by itself. */
  joined(): void {
    this.asked = ACK_EVERY_US;
    this.behind = 0;
    this.bulk.joined();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
