// Chunks to frames, for one track. Pure. Order is guaranteed by the wire, so whatever does not follow
// is a fault: it ends the group here, and the next group starts clean. Whole frames may be left out of a group, of those that
// no other depends on. Of the track's layers one is received at a time: a group that begins on another alias takes over.

import { MAX_FRAME } from '../wire/wire';
import type { Chunk } from '../wire/wire';

export interface WholeFrame {
  data: Uint8Array;
  key: boolean;
  config: boolean;
  /** Low 32 bits of the member's clock, µs. */
  timestamp: number;
  alias: number;
  group: number;
  frame: number;
  level: number;
  voice: boolean;
}

export type Progress = WholeFrame | 'partial' | 'ignored' | 'fault';

/** Whether group a is later than b; group numbers wrap at 32 bits. */
function later(a: number, b: number): boolean {
  return a !== b && (a - b) >>> 0 < 0x8000_0000;
}

export class Reassembly {
  /** Of the layer that is received. */
  private alias: number | undefined;
  private group: number | undefined;
  /** Least number of the frame that comes next in the group; undefined: the rest of the group is not coming, or of no use. */
  private expected: number | undefined;
  private pieces: Uint8Array[] = [];
  private size = 0;
  private first: Chunk | undefined;

  push(chunk: Chunk): Progress {
    if (chunk.alias !== this.alias && !this.takeOver(chunk)) return 'ignored';
    if (this.group === undefined || later(chunk.group, this.group)) this.begin(chunk.group);
    else if (chunk.group !== this.group) return 'ignored';
    if (this.expected === undefined) return 'ignored';
    if (!this.follows(chunk, this.expected)) return this.fault();
    if (this.size + chunk.payload.length > MAX_FRAME) return this.fault();
    this.first ??= chunk;
    this.pieces.push(chunk.payload);
    this.size += chunk.payload.length;
    if (!chunk.last) return 'partial';
    return this.finish(this.first);
  }

  private takeOver({ alias, frame, offset }: Chunk): boolean {
    if (this.alias !== undefined && (frame !== 0 || offset !== 0)) return false;
    this.alias = alias;
    this.group = undefined;
    return true;
  }

  /** Whether this is the next piece of the frame that is on its way, or the beginning of a later one. */
  private follows({ frame, offset, key }: Chunk, expected: number): boolean {
    if (this.first) return frame === this.first.frame && offset === this.size;
    const inTurn = expected === 0 ? frame === 0 && key : frame >= expected;
    return inTurn && offset === 0;
  }

  /** The rest of the group is not coming, from this frame on; false when nothing more was to come of it anyway. */
  abandon(alias: number, group: number): boolean {
    this.alias ??= alias;
    if (alias !== this.alias) return false;
    if (this.group !== undefined && group !== this.group && !later(group, this.group)) return false;
    this.group = group;
    this.expected = undefined;
    this.clear();
    return true;
  }

  /** A catch-up burst begins: this group comes, or comes again, from its first frame on. */
  restart(alias: number, group: number): void {
    this.alias = alias;
    this.begin(group);
  }

  /** The connection broke: what is incomplete stays so. */
  reset(): void {
    this.expected = undefined;
    this.clear();
  }

  private begin(group: number): void {
    this.group = group;
    this.expected = 0;
    this.clear();
  }

  private clear(): void {
    this.pieces = [];
    this.size = 0;
    this.first = undefined;
  }

  private fault(): 'fault' {
    this.reset();
    return 'fault';
  }

  private finish(first: Chunk): Progress {
    if (first.length > 0 && first.length <= MAX_FRAME && first.length !== this.size) return this.fault();
    const data = this.pieces.length === 1 ? this.pieces[0]! : join(this.pieces, this.size);
    const { key, config, timestamp, alias, group, frame, level, voice } = first;
    this.clear();
    this.expected = frame + 1;
    return { data, key, config, timestamp, alias, group, frame, level, voice };
  }
}

function join(pieces: Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
