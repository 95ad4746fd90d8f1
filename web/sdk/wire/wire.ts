// Binary messages of landline.v1 (docs/protocol.md section 5). The constants are the layout; all
// integers are big-endian. Nothing here knows a socket or a clock.

export const VERSION = 1;

const KIND_CHUNK = 0x10;
export const KIND_ACK = 0x11;
const KIND_ABANDON = 0x12;
const KIND_CATCH_UP = 0x13;
const KIND_END = 0x14;
const KIND_OBJECT = 0x15;
export const KIND_PADDING = 0x16;

/** Bytes of a chunk's header; a frame's first chunk has FIRST_EXTRA more. */
export const CHUNK_HEADER = 16;
export const FIRST_EXTRA = 4;
const ACK_SIZE = 20;
const SMALL_SIZE = 12;
export const OBJECT_HEADER = 16;
const MAX_OBJECT = 2 ** 40;

/** Payload of every chunk but a frame's last is a multiple of this; offsets count in it. */
export const OFFSET_UNIT = 16;
export const MAX_PAYLOAD = 16_384;
export const MAX_FRAME = 1_048_576;

const FLAG_KEY = 0x01;
const FLAG_LAST = 0x02;
const FLAG_CONFIG = 0x04;
const FLAG_SYNC = 0x08;
const FLAG_ENCRYPTED = 0x10;
const TEMPORAL_SHIFT = 5;
const TEMPORAL_MASK = 0x03;

/** Level of silence, or of a level that is not known (RFC 6464: -dBov). */
export const LEVEL_UNKNOWN = 127;

/** Reasons of section 7 that a publisher gives. */
export const REASON_AGE = 1;
export const REASON_PUBLISHER = 4;

export interface ChunkHead {
  key: boolean;
  last: boolean;
  config: boolean;
  sync: boolean;
  encrypted: boolean;
  /** Temporal id, 0 to 3. */
  temporal: number;
  alias: number;
  group: number;
  frame: number;
  /** Offset of the payload in the frame, bytes. */
  offset: number;
  /** Low 32 bits of the member's clock, µs. */
  timestamp: number;
}

export interface Chunk extends ChunkHead {
  kind: 'chunk';
  payload: Uint8Array;
  /** First chunks only, else 0. Video: bytes of the frame, 0 = unknown. Audio: the raw field. */
  length: number;
  /** First chunks only. Audio: level in -dBov. */
  level: number;
  voice: boolean;
}

export interface Ack {
  kind: 'ack';
  /** Decode backlog, ms. */
  backlog: number;
  /** Payload bytes of all messages received on the connection. */
  bytes: number;
  /** The receiver's monotonic clock, µs. */
  time: number;
}

export interface Abandon {
  kind: 'abandon';
  reason: number;
  alias: number;
  group: number;
  frame: number;
}

export interface CatchUp {
  kind: 'catch-up';
  begin: boolean;
  alias: number;
  group: number;
  frames: number;
}

export interface End {
  kind: 'end';
  reason: number;
  alias: number;
  group: number;
  frames: number;
}

/** A piece of an object (section 5.6). */
export interface ObjectChunk {
  kind: 'object';
  last: boolean;
  /** Of the last accepted message. */
  turn: number;
  stream: number;
  /** In the object, bytes. */
  offset: number;
  payload: Uint8Array;
}

export type Binary = Chunk | Ack | Abandon | CatchUp | End | ObjectChunk;

export type WireFault = 'short' | 'empty' | 'version' | 'kind' | 'alias' | 'align' | 'too-large' | 'key' | 'size';

/** A binary message against section 5. */
export class WireError extends Error {
  constructor(
    readonly fault: WireFault,
    text: string,
  ) {
    super(text);
    this.name = 'WireError';
  }
}

/** Reads one binary message. The payload of a chunk is a view of data, not a copy. */
export function parseBinary(data: Uint8Array): Binary {
  const first = data[0];
  if (first === undefined) throw new WireError('short', 'empty binary message');
  if (first >> 4 !== VERSION) throw new WireError('version', `binary message of version ${first >> 4}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (first) {
    case KIND_CHUNK:
      return parseChunk(data, view);
    case KIND_ACK:
      checkSize(data, ACK_SIZE, 'ack');
      return { kind: 'ack', backlog: view.getUint16(2), bytes: readWide(view, 4), time: readWide(view, 12) };
    case KIND_ABANDON: {
      const small = parseSmall(data, view, 'Abandon');
      return { kind: 'abandon', reason: small.code, alias: small.alias, group: small.group, frame: small.count };
    }
    case KIND_CATCH_UP: {
      const small = parseSmall(data, view, 'catch-up marker');
      return { kind: 'catch-up', begin: small.code === 1, alias: small.alias, group: small.group, frames: small.count };
    }
    case KIND_END: {
      const small = parseSmall(data, view, 'End');
      return { kind: 'end', reason: small.code, alias: small.alias, group: small.group, frames: small.count };
    }
    case KIND_OBJECT:
      return parseObject(data, view);
    default:
      throw new WireError('kind', `binary message of unknown kind ${first & 0x0f}`);
  }
}

function parseObject(data: Uint8Array, view: DataView): ObjectChunk {
  if (data.length < OBJECT_HEADER) throw new WireError('short', `object chunk header has ${data.length} of ${OBJECT_HEADER} bytes`);
  const payload = data.subarray(OBJECT_HEADER);
  const stream = view.getUint32(4);
  const offset = readWide(view, 8);
  if (payload.length === 0) throw new WireError('empty', 'object chunk without payload');
  if (stream === 0) throw new WireError('alias', 'object chunk on stream 0');
  if (payload.length > MAX_PAYLOAD || offset + payload.length > MAX_OBJECT) {
    throw new WireError('too-large', `object chunk of ${payload.length} bytes at ${offset}`);
  }
  return { kind: 'object', last: (view.getUint8(1) & FLAG_LAST) !== 0, turn: view.getUint16(2), stream, offset, payload };
}

export function encodeObject(c: Omit<ObjectChunk, 'kind'>): Uint8Array {
  const data = new Uint8Array(OBJECT_HEADER + c.payload.length);
  const view = new DataView(data.buffer);
  view.setUint8(0, KIND_OBJECT);
  view.setUint8(1, c.last ? FLAG_LAST : 0);
  view.setUint16(2, c.turn);
  view.setUint32(4, c.stream);
  view.setBigUint64(8, BigInt(c.offset));
  data.set(c.payload, OBJECT_HEADER);
  return data;
}

function parseChunk(data: Uint8Array, view: DataView): Chunk {
  if (data.length < CHUNK_HEADER) throw new WireError('short', `chunk header has ${data.length} of ${CHUNK_HEADER} bytes`);
  const flags = view.getUint8(1);
  const offset = view.getUint16(10) * OFFSET_UNIT;
  const start = offset === 0 ? CHUNK_HEADER + FIRST_EXTRA : CHUNK_HEADER;
  if (data.length < start) throw new WireError('short', `first chunk has ${data.length} of ${start} header bytes`);
  const raw = offset === 0 ? view.getUint32(CHUNK_HEADER) : 0;
  const chunk: Chunk = {
    kind: 'chunk',
    key: (flags & FLAG_KEY) !== 0,
    last: (flags & FLAG_LAST) !== 0,
    config: (flags & FLAG_CONFIG) !== 0,
    sync: (flags & FLAG_SYNC) !== 0,
    encrypted: (flags & FLAG_ENCRYPTED) !== 0,
    temporal: (flags >> TEMPORAL_SHIFT) & TEMPORAL_MASK,
    alias: view.getUint16(2),
    group: view.getUint32(4),
    frame: view.getUint16(8),
    offset,
    timestamp: view.getUint32(12),
    payload: data.subarray(start),
    length: raw,
    level: (raw >>> 24) & 0x7f,
    voice: raw >>> 31 === 1,
  };
  checkChunk(chunk);
  return chunk;
}

function checkChunk(chunk: Chunk): void {
  const size = chunk.payload.length;
  if (chunk.alias === 0) throw new WireError('alias', 'chunk under alias 0');
  if (size === 0) throw new WireError('empty', 'chunk without payload');
  if (size > MAX_PAYLOAD) throw new WireError('too-large', `chunk payload of ${size} bytes`);
  if (chunk.offset + size > MAX_FRAME) throw new WireError('too-large', `chunk ends at ${chunk.offset + size} bytes of its frame`);
  // Audio has its level in the first byte and zeros behind it; anything else is a video frame's length.
  if ((chunk.length & 0xffffff) !== 0 && chunk.length > MAX_FRAME) throw new WireError('too-large', `frame of ${chunk.length} bytes`);
  if (!chunk.last && size % OFFSET_UNIT !== 0) throw new WireError('align', `inner chunk of ${size} bytes`);
  if (chunk.key && chunk.frame !== 0) throw new WireError('key', `key flag on frame ${chunk.frame}`);
}

function checkSize(data: Uint8Array, size: number, what: string): void {
  if (data.length !== size) throw new WireError('size', `${what} of ${data.length} bytes, not ${size}`);
}

/** Abandon, catch-up marker and End have one layout: code, alias, group, a 16-bit count. */
function parseSmall(data: Uint8Array, view: DataView, what: string): { code: number; alias: number; group: number; count: number } {
  checkSize(data, SMALL_SIZE, what);
  const alias = view.getUint16(2);
  if (alias === 0) throw new WireError('alias', `${what} for alias 0`);
  return { code: view.getUint8(1), alias, group: view.getUint32(4), count: view.getUint16(8) };
}

/** 64 bits as a number: exact up to 2^53, beyond any value of the protocol. */
function readWide(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}

/** Writes a chunk. extra is the four bytes of a first chunk (offset 0); see videoExtra and audioExtra. */
export function encodeChunk(head: ChunkHead, payload: Uint8Array, extra: number): Uint8Array {
  const start = head.offset === 0 ? CHUNK_HEADER + FIRST_EXTRA : CHUNK_HEADER;
  const data = new Uint8Array(start + payload.length);
  const view = new DataView(data.buffer);
  view.setUint8(0, KIND_CHUNK);
  view.setUint8(1, flagsOf(head));
  view.setUint16(2, head.alias);
  view.setUint32(4, head.group);
  view.setUint16(8, head.frame);
  view.setUint16(10, head.offset / OFFSET_UNIT);
  view.setUint32(12, head.timestamp);
  if (head.offset === 0) view.setUint32(CHUNK_HEADER, extra);
  data.set(payload, start);
  return data;
}

function flagsOf(head: ChunkHead): number {
  return (
    (head.key ? FLAG_KEY : 0) |
    (head.last ? FLAG_LAST : 0) |
    (head.config ? FLAG_CONFIG : 0) |
    (head.sync ? FLAG_SYNC : 0) |
    (head.encrypted ? FLAG_ENCRYPTED : 0) |
    ((head.temporal & TEMPORAL_MASK) << TEMPORAL_SHIFT)
  );
}

/** The four bytes of an audio packet: voice flag and level in -dBov. */
export function audioExtra(level: number, voice: boolean): number {
  return (((voice ? 0x80 : 0) | (level & 0x7f)) << 24) >>> 0;
}

export function encodeAck(ack: Omit<Ack, 'kind'>): Uint8Array {
  const data = new Uint8Array(ACK_SIZE);
  const view = new DataView(data.buffer);
  view.setUint8(0, KIND_ACK);
  view.setUint16(2, Math.min(ack.backlog, 0xffff));
  writeWide(view, 4, ack.bytes);
  writeWide(view, 12, ack.time);
  return data;
}

function writeWide(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value >>> 0);
}

export function encodeAbandon(m: Omit<Abandon, 'kind'>): Uint8Array {
  return encodeSmall(KIND_ABANDON, m.reason, m.alias, m.group, m.frame);
}

export function encodeCatchUp(m: Omit<CatchUp, 'kind'>): Uint8Array {
  return encodeSmall(KIND_CATCH_UP, m.begin ? 1 : 0, m.alias, m.group, m.frames);
}

export function encodeEnd(m: Omit<End, 'kind'>): Uint8Array {
  return encodeSmall(KIND_END, m.reason, m.alias, m.group, m.frames);
}

function encodeSmall(kind: number, code: number, alias: number, group: number, count: number): Uint8Array {
  const data = new Uint8Array(SMALL_SIZE);
  const view = new DataView(data.buffer);
  view.setUint8(0, kind);
  view.setUint8(1, code);
  view.setUint16(2, alias);
  view.setUint32(4, group);
  view.setUint16(8, count);
  return data;
}
