// Sound of many channels as two, so that what is said in the middle is not lost. Pure.

/** The share of what belongs to both sides, or behind, as ITU-R BS.775 has it. */
const M = Math.SQRT1_2;
/** For each channel, how much of it goes left and right; the deep one (LFE) is left out. */
const MIXES: Record<number, readonly (readonly [number, number])[]> = {
  3: [[1, 0], [0, 1], [M, M]],
  4: [[1, 0], [0, 1], [M, 0], [0, M]],
  5: [[1, 0], [0, 1], [M, M], [M, 0], [0, M]],
  6: [[1, 0], [0, 1], [M, M], [0, 0], [M, 0], [0, M]],
  8: [[1, 0], [0, 1], [M, M], [0, 0], [M, 0], [0, M], [M, 0], [0, M]],
};

/** Two planes of samples of any number of planes, in the order that decoders give them: left, right, middle, deep, behind. */
export function mixed(planes: readonly Float32Array[]): [Float32Array, Float32Array] {
  const mix = MIXES[planes.length] ?? planes.map((_, i) => (i < 2 ? [1 - i, i] as const : [M, M] as const));
  // Nothing may be louder than full scale.
  const most = Math.max(...[0, 1].map((side) => mix.reduce((sum, shares) => sum + shares[side]!, 0)));
  const length = planes[0]?.length ?? 0;
  const sides: [Float32Array, Float32Array] = [new Float32Array(length), new Float32Array(length)];
  sides.forEach((out, side) => {
    mix.forEach((shares, i) => {
      const share = shares[side]! / most;
      if (share > 0) for (let n = 0; n < length; n++) out[n]! += share * planes[i]![n]!;
    });
  });
  return sides;
}
