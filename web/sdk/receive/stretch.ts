// Makes sound a little shorter or longer without changing its pitch, by one period of it. Pure.

/** Samples per channel, all of one length. */
export type Pcm = Float32Array[];

const MIN_LAG = 120;
const MAX_LAG = 480;
const STEP = 2;

export interface Period {
  lag: number;
  /** Likeness of one period to the next, -1 to 1; 1 for silence. */
  likeness: number;
}

/** The lag, in samples, at which the sound behind start repeats itself best. Needs 2 x MAX_LAG samples. */
export function findPeriod(pcm: Pcm, start: number): Period {
  const x = pcm[0]!;
  const room = Math.floor((x.length - start) / 2);
  const most = Math.min(MAX_LAG, room);
  let best: Period = { lag: most, likeness: -1 };
  for (let lag = MIN_LAG; lag <= most; lag += STEP) {
    const likeness = compare(x, start, start + lag, lag);
    if (likeness > best.likeness + 0.001) best = { lag, likeness };
  }
  return best;
}

function compare(x: Float32Array, a: number, b: number, length: number): number {
  let cross = 0;
  let energyA = 0;
  let energyB = 0;
  for (let i = 0; i < length; i += STEP) {
    const p = x[a + i]!;
    const q = x[b + i]!;
    cross += p * q;
    energyA += p * p;
    energyB += q * q;
  }
  const silence = 1e-7 * length;
  if (energyA < silence && energyB < silence) return 1;
  return cross / (Math.sqrt(energyA * energyB) + 1e-12);
}

/** Leaves out one period at the front: the first is faded into the second. */
export function shorten(pcm: Pcm, lag: number): Pcm {
  return pcm.map((x) => {
    const y = new Float32Array(x.length - lag);
    for (let i = 0; i < lag; i++) y[i] = x[i]! * (1 - i / lag) + x[i + lag]! * (i / lag);
    y.set(x.subarray(2 * lag), lag);
    return y;
  });
}

/** Plays one period at the front twice: the second is faded back into the first. */
export function lengthen(pcm: Pcm, lag: number): Pcm {
  return pcm.map((x) => {
    const y = new Float32Array(x.length + lag);
    y.set(x.subarray(0, lag));
    for (let i = 0; i < lag; i++) y[lag + i] = x[lag + i]! * (1 - i / lag) + x[i]! * (i / lag);
    y.set(x.subarray(lag), 2 * lag);
    return y;
  });
}

/** Fades from one piece of sound into another over the length of the first, in place in the second. */
export function crossfade(from: Pcm, into: Pcm): void {
  into.forEach((y, c) => {
    const x = from[c] ?? from[0]!;
    const n = Math.min(x.length, y.length);
    for (let i = 0; i < n; i++) y[i] = x[i]! * (1 - i / n) + y[i]! * (i / n);
  });
}
