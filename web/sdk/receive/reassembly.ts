// Chunks to frames, for one track. Pure. Order is guaranteed by the wire, so whatever does not follow
// is a fault: it ends the group here, and the next group starts clean.

import { MAX_FRAME } from '../wire/wire';
import type { Chunk } from '../wire/wire';

export interface WholeFrame {
  data: Uint8Array;
  key: boolean;
  config: boolean;
  /** Low 32 bits of the member's clock, µs. */
  timestamp: number;
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
  private group: number | undefined;
  /** Frame that comes next in the group; undefined: the rest of the group is not coming, or of no use. */
  private expected: number | undefined;
  private pieces: Uint8Array[] = [];
  private size = 0;
  private first: Chunk | undefined;

  push(chunk: Chunk): Progress {
    if (this.group === undefined || later(chunk.group, this.group)) this.begin(chunk.group);
    else if (chunk.group !== this.group) return 'ignored';
    if (this.expected === undefined) return 'ignored';
    const startsWrong = chunk.frame === 0 && !chunk.key;
    if (chunk.frame !== this.expected || chunk.offset !== this.size || startsWrong) return this.fault();
    if (this.size + chunk.payload.length > MAX_FRAME) return this.fault();
    this.first ??= chunk;
    this.pieces.push(chunk.payload);
    this.size += chunk.payload.length;
    if (!chunk.last) return 'partial';
    return this.finish(this.first);
  }

  /** The rest of the group is not coming, from this frame on. */
  abandon(group: number): void {
    if (this.group !== undefined && group !== this.group && !later(group, this.group)) return;
    this.group = group;
    this.expected = undefined;
    this.clear();
  }

  /** A catch-up burst begins: this group comes, or comes again, from its first frame on. */
  restart(group: number): void {
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
    const { key, config, timestamp, group, frame, level, voice } = first;
    this.clear();
    this.expected = frame + 1;
    return { data, key, config, timestamp, group, frame, level, voice };
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
