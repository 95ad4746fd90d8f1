// One object that is offered to this member, and what has come of it. Consumed is what was hashed and put aside.

import type { TransferState, TransferWhy } from './api';
import type { OfferInfo } from './bridge';
import { Sha256 } from './sha256';

/** What has come is handed to the browser in Blobs of this size: it keeps them where there is room. */
const PART_BYTES = 1_048_576;

export class Received {
  state: TransferState = 'offered';
  why: TransferWhy | undefined;
  stream = 0;
  /** Accepted in this session. */
  live = false;
  /** Consumed. */
  bytes = 0;
  /** Of that, what the sender was told. */
  credited = 0;
  /** The hash as the sender has it, '' until it has come. */
  sha256 = '';
  /** It is being put together. */
  closing = false;
  /** Since when it is waited for that somebody offers it again, ms. */
  adriftSince: number | undefined;
  private readonly hash = new Sha256();
  private parts: Blob[] = [];
  private pieces: Uint8Array<ArrayBuffer>[] = [];
  private held = 0;

  constructor(
    readonly key: number,
    readonly object: string,
    readonly info: OfferInfo,
  ) {}

  get over(): boolean {
    return this.state !== 'offered' && this.state !== 'accepted';
  }

  finish(state: TransferState, why?: TransferWhy): void {
    this.state = state;
    this.why = why;
    this.adriftSince = undefined;
    this.parts = [];
    this.pieces = [];
  }

  append(payload: Uint8Array): void {
    this.hash.update(payload);
    this.pieces.push(payload as Uint8Array<ArrayBuffer>);
    this.bytes += payload.length;
    this.held += payload.length;
    if (this.held >= PART_BYTES) this.putAside();
  }

  private putAside(): void {
    this.parts.push(new Blob(this.pieces));
    this.pieces = [];
    this.held = 0;
  }

  get complete(): boolean {
    return this.state === 'accepted' && this.bytes === this.info.size && this.sha256 !== '' && !this.closing;
  }

  /** Whether what came is what was sent; to be asked once, at the end. */
  get matches(): boolean {
    return this.hash.end() === this.sha256;
  }

  /** All of it. Rejects when the browser did not keep it. */
  async whole(): Promise<Blob> {
    this.putAside();
    const blob = new Blob(this.parts, { type: this.info.type });
    for (const part of [...new Set([this.parts[0], this.parts.at(-1)])]) await part?.slice(0, 1).arrayBuffer();
    return blob;
  }
}
