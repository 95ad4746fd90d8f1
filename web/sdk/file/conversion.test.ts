import { describe, expect, test } from 'vitest';
import { AnnexB } from './annexb';
import { mixed } from './mix';
import { TemporalUnits } from './obus';

// Parameter sets of x264, constrained baseline, 96x64.
const SPS = [0x67, 0x42, 0xc0, 0x0a, 0xda, 0x18, 0x9b, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20, 0xf1, 0x22, 0x6a];
const PPS = [0x68, 0xce, 0x0f, 0xc8];
const IDR = [0x65, 0x88, 0x84];
const DELTA = [0x41, 0x9a];
const SEI = [6, 5, 1, 0, 0x80];
const DELIMITER = [9, 0x10];

const bytes = (...parts: number[][]): Uint8Array => Uint8Array.from(parts.flat());
const avcC = (lengthSize = 4): Uint8Array => bytes([1, 0x42, 0xc0, 0x0a, 0xfc | (lengthSize - 1), 0xe1, 0, SPS.length], SPS, [1, 0, PPS.length], PPS);
const sample = (lengthSize: number, ...nals: number[][]): Uint8Array =>
  bytes(...nals.map((nal) => [...[0, 0, 0].slice(0, lengthSize - 1), nal.length, ...nal]));
const annexB = (...nals: number[][]): Uint8Array => bytes(...nals.map((nal) => [0, 0, 0, 1, ...nal]));

describe('H.264 as Annex B', () => {
  test.each([
    ['a key frame', [IDR], [SPS, PPS, IDR], true],
    ['a key frame with others before it', [SEI, IDR], [SPS, PPS, SEI, IDR], true],
    ['parameter sets of its own', [[...SPS, 0x80], PPS, IDR], [[...SPS, 0x80], PPS, IDR], true],
    ['an SPS of its own', [[...SPS, 0x80], SEI, IDR], [[...SPS, 0x80], PPS, SEI, IDR], true],
    ['a delta', [DELTA, DELTA], [DELTA, DELTA], false],
    ['a recovery point', [SEI, DELTA], [SEI, DELTA], false],
    ['a delimiter', [DELIMITER, IDR], [SPS, PPS, IDR], true],
  ])('%s', (_, nals, made, key) => {
    for (const lengthSize of [1, 2, 4]) {
      expect(new AnnexB(avcC(lengthSize)).frame(sample(lengthSize, ...nals))).toEqual({ data: annexB(...made), key });
    }
  });

  test('baseline, which has no B-frames, is told from the rest', () => {
    expect(new AnnexB(avcC()).baseline).toBe(true);
    const high = avcC();
    high[1] = 100;
    expect(new AnnexB(high).baseline).toBe(false);
  });

  test.each([
    ['empty', bytes([])],
    ['of another version', bytes([2], [...avcC().slice(1)])],
    ['with a set that is longer than it', bytes([...avcC().slice(0, 6)], [0xff, 0xff], SPS)],
    ['with another kind of unit', bytes([...avcC().slice(0, 8)], [0x68], [...avcC().slice(9)])],
    ['cut', avcC().slice(0, 20)],
  ])('an avcC %s is refused', (_, config) => {
    expect(() => new AnnexB(config)).toThrow(RangeError);
  });

  test.each([
    ['ends in a length', bytes([0, 0, 1])],
    ['claims more than there is', bytes([0, 0, 0, 3, 0x65, 0x88])],
    ['claims 4 GiB', bytes([0xff, 0xff, 0xff, 0xff, 0x65])],
  ])('a sample that %s is refused', (_, data) => {
    expect(() => new AnnexB(avcC()).frame(data)).toThrow(RangeError);
  });
});

describe('AV1', () => {
  const delimiter = [0x12, 0];
  const sequence = [0x0a, 3, 1, 2, 3];
  const frame = [0x32, 2, 7, 8];

  test('temporal delimiters go, the rest stays', () => {
    expect(new TemporalUnits().frame(bytes(delimiter, sequence, frame), true)).toEqual(bytes(sequence, frame));
    expect(new TemporalUnits().frame(bytes(delimiter, frame), false)).toEqual(bytes(frame));
  });

  test('a key frame without a sequence header gets the one of before, or of the head', () => {
    const units = new TemporalUnits();
    units.frame(bytes(sequence, frame), true);
    expect(units.frame(bytes(frame), true)).toEqual(bytes(sequence, frame));
    expect(new TemporalUnits(bytes([0x81, 0, 0, 0], sequence)).frame(bytes(frame), true)).toEqual(bytes(sequence, frame));
    expect(() => new TemporalUnits().frame(bytes(frame), true)).toThrow(RangeError);
  });

  test('an OBU without a size gets one', () => {
    expect(new TemporalUnits().frame(bytes([0x30, 7, 8]), false)).toEqual(bytes(frame));
    const long = new Array<number>(200).fill(5);
    expect(new TemporalUnits().frame(bytes([0x30], long), false)).toEqual(bytes([0x32, 0xc8, 1], long));
  });

  test('sizes that are wrong are refused', () => {
    expect(() => new TemporalUnits().frame(bytes([0x32, 3, 7, 8]), false)).toThrow(RangeError);
    expect(() => new TemporalUnits().frame(bytes([0x32, 0x80, 0x80]), false)).toThrow(RangeError);
  });
});

describe('sound of many channels', () => {
  const plane = (value: number): Float32Array => new Float32Array(2).fill(value);

  test('what is said in the middle is heard on both sides', () => {
    const [left, right] = mixed([plane(0), plane(0), plane(1), plane(0), plane(0), plane(0)]);
    expect(left[0]).toBeGreaterThan(0.2);
    expect(right).toEqual(left);
  });

  test('sides stay sides', () => {
    const [left, right] = mixed([plane(1), plane(0), plane(0), plane(0), plane(0), plane(0)]);
    expect(left[1]).toBeGreaterThan(0.3);
    expect(right[1]).toBe(0);
  });

  test.each([3, 4, 5, 6, 7, 8])('nothing is louder than full scale with %i channels', (channels) => {
    for (const side of mixed(Array.from({ length: channels }, () => plane(1)))) expect(side[0]).toBeLessThanOrEqual(1.000001);
  });
});
