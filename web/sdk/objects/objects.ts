// Objects in the worker: those that are sent and those that come.

import type { BulkSource } from '../send/bulk';
import type { Joined, ServerMessage } from '../wire/messages';
import type { ObjectChunk } from '../wire/wire';
import type { TransferWhy } from './api';
import type { ObjectsToWorker } from './bridge';
import { Receivings } from './receivings';
import { Sendings } from './sendings';
import type { ObjectsHost } from './sendings';

/** What the relay answers about streams that are over meanwhile: nobody can do anything about it. */
const STALE = new Set(['no-such-stream', 'bad-offset', 'accepted-twice']);

const CLOSED: TransferWhy = { code: 'closed', text: 'the room is closed' };

export class Objects implements BulkSource {
  private readonly sendings: Sendings;
  private readonly receivings: Receivings;

  constructor(host: ObjectsHost, nameOf: (member: string) => string) {
    this.sendings = new Sendings(host);
    this.receivings = new Receivings(host, nameOf);
  }

  handle(message: ObjectsToWorker): void {
    switch (message.do) {
      case 'send-object':
        return this.sendings.add(message.key, message.file, message.name, message.to);
      case 'cancel-object':
        return this.sendings.cancel(message.key, message.member);
      case 'answer-offer':
        return this.receivings.answer(message.key, message.answer);
    }
  }

  /** Takes a message about objects; false when it is about something else, or others are to hear it, too. */
  control(message: ServerMessage, now: number): boolean {
    if (this.sendings.control(message) || this.receivings.control(message, now)) return true;
    return message.type === 'error' && STALE.has(message.code);
  }

  chunk(chunk: ObjectChunk): void {
    this.receivings.chunk(chunk);
  }

  get waiting(): boolean {
    return this.sendings.waiting;
  }

  take(most: number): Uint8Array | undefined {
    return this.sendings.take(most);
  }

  lost(): void {
    this.sendings.lost();
    this.receivings.lost();
  }

  joined({ resumed, members }: Joined, now: number): void {
    this.sendings.joined(resumed, members, now);
    this.receivings.joined(now);
  }

  /** To be called a few times a second. */
  tick(now: number): void {
    this.sendings.tick(now);
    this.receivings.tick(now);
  }

  close(): void {
    this.sendings.close(CLOSED);
    this.receivings.close(CLOSED);
  }
}
