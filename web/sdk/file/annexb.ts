// The samples of H.264 in MP4 and Matroska, whose NAL units have lengths in front, as the relay carries them: Annex B with 4-byte
// start codes, parameter sets in front of each key frame, no access unit delimiters. The twin of media/h264. Pure.

const IDR = 5;
const SPS = 7;
const PPS = 8;
const DELIMITER = 9;
const HEADER = 6;
const START_CODE = 4;
/** Profiles that know no B-frames: their pictures are shown in the order in which they come. */
const BASELINE = 66;

const typeOf = (nal: Uint8Array): number => nal[0]! & 0x1f;

/** An AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 5.3.3.1), and what it makes of samples. Throws for what is none. */
export class AnnexB {
  readonly baseline: boolean;
  private readonly lengthSize: number;
  private readonly sps: Uint8Array[];
  private readonly pps: Uint8Array[];

  constructor(config: Uint8Array) {
    if (config.length <= HEADER || config[0] !== 1) throw new RangeError('no avcC');
    this.baseline = config[1] === BASELINE;
    this.lengthSize = (config[4]! & 3) + 1;
    const sps = setsOf(config, HEADER, config[5]! & 0x1f, SPS);
    const pps = sps.end < config.length ? setsOf(config, sps.end + 1, config[sps.end]!, PPS) : { nals: [], end: sps.end };
    this.sps = sps.nals;
    this.pps = pps.nals;
  }

  /** An access unit. Only one with an IDR picture is a key frame: files call recovery points so, too, from which not every decoder can begin. */
  frame(sample: Uint8Array): { data: Uint8Array; key: boolean } {
    const nals = this.split(sample).filter((nal) => typeOf(nal) !== DELIMITER);
    const has = (type: number): boolean => nals.some((nal) => typeOf(nal) === type);
    const key = has(IDR);
    const inline = nals.filter((nal) => typeOf(nal) === SPS);
    const rest = nals.filter((nal) => typeOf(nal) !== SPS);
    const sps = key && inline.length === 0 ? this.sps : inline;
    const pps = key && !has(PPS) ? this.pps : [];
    return { data: joined([...sps, ...pps, ...rest]), key };
  }

  private split(sample: Uint8Array): Uint8Array[] {
    const nals: Uint8Array[] = [];
    for (let at = 0; at < sample.length; ) {
      if (at + this.lengthSize > sample.length) throw new RangeError('an H.264 sample ends in the length of a NAL unit');
      let size = 0;
      for (let i = 0; i < this.lengthSize; i++) size = size * 256 + sample[at + i]!;
      at += this.lengthSize;
      if (size > sample.length - at) throw new RangeError('a NAL unit is longer than its H.264 sample');
      if (size > 0) nals.push(sample.subarray(at, at + size));
      at += size;
    }
    return nals;
  }
}

function setsOf(config: Uint8Array, at: number, count: number, type: number): { nals: Uint8Array[]; end: number } {
  const nals: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const size = (config[at]! << 8) | config[at + 1]!;
    const nal = config.subarray(at + 2, at + 2 + size);
    if (!(size > 0) || nal.length < size || typeOf(nal) !== type) throw new RangeError('a parameter set of the avcC is broken');
    nals.push(nal);
    at += 2 + size;
  }
  return { nals, end: at };
}

function joined(nals: Uint8Array[]): Uint8Array {
  const data = new Uint8Array(nals.reduce((sum, { length }) => sum + START_CODE + length, 0));
  let at = 0;
  for (const nal of nals) {
    data[at + START_CODE - 1] = 1;
    data.set(nal, at + START_CODE);
    at += START_CODE + nal.length;
  }
  return data;
}
