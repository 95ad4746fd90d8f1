// Temporal units of AV1 as the relay carries them: every OBU with its size, no temporal delimiters, a sequence header in each key
// frame. Pure.

const SEQUENCE_HEADER = 1;
const TEMPORAL_DELIMITER = 2;
const EXTENSION = 0x04;
const HAS_SIZE = 0x02;

interface Obu {
  type: number;
  /** Its header, without the size. */
  header: Uint8Array;
  payload: Uint8Array;
}

export class TemporalUnits {
  /** The last that was seen: a file may have it in its head, and in the first key frame alone. */
  private sequence: Obu | undefined;

  /** config: an AV1CodecConfigurationRecord, whose OBUs begin behind 4 bytes. */
  constructor(config?: Uint8Array) {
    if (config && config.length > 4) this.sequence = obusOf(config.subarray(4)).find(({ type }) => type === SEQUENCE_HEADER);
  }

  /** Throws for what is no temporal unit, and for a key frame of a stream that has no sequence header. */
  frame(sample: Uint8Array, key: boolean): Uint8Array {
    const obus = obusOf(sample).filter(({ type }) => type !== TEMPORAL_DELIMITER);
    const own = obus.find(({ type }) => type === SEQUENCE_HEADER);
    this.sequence = own ?? this.sequence;
    if (!key || own) return joined(obus);
    if (!this.sequence) throw new RangeError('AV1 without a sequence header');
    return joined([this.sequence, ...obus]);
  }
}

function obusOf(data: Uint8Array): Obu[] {
  const obus: Obu[] = [];
  for (let at = 0; at < data.length; ) {
    const first = data[at]!;
    const header = data.slice(at, at + (first & EXTENSION ? 2 : 1));
    header[0]! |= HAS_SIZE;
    at += header.length;
    const { size, bytes } = first & HAS_SIZE ? leb128(data, at) : { size: data.length - at, bytes: 0 };
    at += bytes;
    if (size > data.length - at) throw new RangeError('an OBU is longer than its temporal unit');
    obus.push({ type: (first >> 3) & 15, header, payload: data.subarray(at, at + size) });
    at += size;
  }
  return obus;
}

function leb128(data: Uint8Array, at: number): { size: number; bytes: number } {
  let size = 0;
  for (let i = 0; i < 5 && at + i < data.length; i++) {
    const byte = data[at + i]!;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { size, bytes: i + 1 };
  }
  throw new RangeError('the size of an OBU has no end');
}

function sizeBytes(size: number): number[] {
  const bytes: number[] = [];
  for (; size > 0x7f; size = Math.floor(size / 128)) bytes.push((size & 0x7f) | 0x80);
  return [...bytes, size];
}

function joined(obus: Obu[]): Uint8Array {
  const sizes = obus.map(({ payload }) => sizeBytes(payload.length));
  const data = new Uint8Array(obus.reduce((sum, { header, payload }, i) => sum + header.length + sizes[i]!.length + payload.length, 0));
  let at = 0;
  obus.forEach(({ header, payload }, i) => {
    for (const part of [header, sizes[i]!, payload]) {
      data.set(part, at);
      at += part.length;
    }
  });
  return data;
}
