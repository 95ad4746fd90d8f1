// The hash of an object that is sent. It is read in slices, a little ahead of the receiver that is furthest.

import type { FeedHost } from './feed';
import { Sha256 } from './sha256';

const AHEAD = 1_048_576;
const READ_BYTES = 65_536;

export class HashPass {
  /** In hexadecimal, '' until it is known. */
  sum = '';
  private readonly hash = new Sha256();
  private at = 0;
  private limit = 0;
  private running = false;
  private stopped = false;

  constructor(
    private readonly file: Blob,
    private readonly host: FeedHost,
  ) {}

  /** Somebody is at this offset. */
  follow(offset: number): void {
    this.limit = Math.max(this.limit, Math.min(offset + AHEAD, this.file.size));
    if (!this.running && !this.stopped && this.sum === '') void this.run();
  }

  stop(): void {
    this.stopped = true;
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      while (this.at < this.limit && !this.stopped) {
        const buffer = await this.file.slice(this.at, Math.min(this.at + READ_BYTES, this.limit)).arrayBuffer();
        if (buffer.byteLength === 0) throw new Error('it has become shorter');
        this.hash.update(new Uint8Array(buffer));
        this.at += buffer.byteLength;
      }
    } catch (error) {
      this.stopped = true;
      this.host.failed(error);
    }
    this.running = false;
    if (this.stopped || this.at < this.file.size) return;
    this.sum = this.hash.end();
    this.host.ready();
  }
}
