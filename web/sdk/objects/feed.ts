// One receiver's stream of an object that is sent: reads ahead of the link, in slices, as far as the credit allows.

import { encodeObject, MAX_PAYLOAD, OBJECT_HEADER } from '../wire/wire';
import { WINDOW } from './rules';

/** Bytes read in one go; so much waits, too, before no more is read. */
const READ_BYTES = 65_536;
/** The relay passes on credit in steps of so much: for less nothing is read. */
const STEP = 16_384;
/** Payload of a chunk at least, but for the last one. */
const LEAST = 512;

export interface FeedHost {
  /** There is more to send, or all was read. */
  ready(): void;
  failed(error: unknown): void;
}

export class Feed {
  stream = 0;
  turn = 0;
  open = false;
  /** Up to where the object was read. */
  read = 0;
  consumed = 0;
  private pieces: Uint8Array[] = [];
  /** Bytes of the first piece that were taken. */
  private taken = 0;
  private waiting = 0;
  private reading = false;
  /** Tells a slice that was asked for in an earlier turn from one of this. */
  private epoch = 0;

  constructor(
    private readonly file: Blob,
    private readonly host: FeedHost,
  ) {}

  /** Goes on from an offset, in a new turn. */
  begin(stream: number, turn: number, offset: number, consumed: number): void {
    this.close();
    Object.assign(this, { stream, turn, open: true, read: offset, consumed });
    this.fill();
  }

  close(): void {
    this.epoch++;
    this.open = false;
    this.reading = false;
    this.pieces = [];
    this.taken = this.waiting = 0;
  }

  credit(offset: number): void {
    this.consumed = Math.max(this.consumed, offset);
    this.fill();
  }

  get waits(): boolean {
    return this.waiting > 0;
  }

  /** All was read, in this turn: what is left waits for the link. */
  get atEnd(): boolean {
    return this.open && this.read === this.file.size;
  }

  private fill(): void {
    const left = this.file.size - this.read;
    const credit = this.consumed + WINDOW - this.read;
    if (!this.open || this.reading || left === 0 || this.waiting >= READ_BYTES || credit < Math.min(left, STEP)) return;
    this.reading = true;
    const { epoch, read } = this;
    const size = Math.min(left, credit, READ_BYTES);
    this.file.slice(read, read + size).arrayBuffer().then(
      (buffer) => epoch === this.epoch && this.took(new Uint8Array(buffer), size),
      (error: unknown) => epoch === this.epoch && this.host.failed(error),
    );
  }

  private took(piece: Uint8Array, size: number): void {
    this.reading = false;
    if (piece.length !== size) return this.host.failed(new Error('it has become shorter'));
    this.read += size;
    this.waiting += size;
    this.pieces.push(piece);
    this.fill();
    this.host.ready();
  }

  /** The next message, of about so many bytes at most. */
  take(most: number): Uint8Array | undefined {
    const piece = this.pieces[0];
    if (!piece) return undefined;
    const rest = piece.length - this.taken;
    const wanted = Math.min(Math.max(most - OBJECT_HEADER, LEAST), MAX_PAYLOAD - LEAST);
    const size = wanted + LEAST > rest ? rest : wanted;
    const offset = this.read - this.waiting;
    const payload = piece.subarray(this.taken, this.taken + size);
    this.taken += size;
    this.waiting -= size;
    if (this.taken === piece.length) {
      this.pieces.shift();
      this.taken = 0;
    }
    this.fill();
    return encodeObject({ last: offset + size === this.file.size, turn: this.turn, stream: this.stream, offset, payload });
  }
}
