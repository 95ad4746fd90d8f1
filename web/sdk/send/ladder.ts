// The steps between a captured picture and the least that is still of use: first the frame rate goes, then the size, and the
// frame rate again. Pure.

import type { TrackInfo } from '../api';
import { pictureBitrate, pictureSize, scaled } from './picture';
import type { Size } from './picture';

export interface Step extends Size {
  fps: number;
  /** bit/s: under the least the picture breaks up, over the most more bits show no more. */
  least: number;
  most: number;
}

/** Of the bitrate of a good picture, what it can do with. */
const LEAST_SHARE = 0.43;
/** Half the frames need more than half the bits, since more changes between them. */
const FPS_GROWTH = 0.7;
export const FULL_FPS = 30;
/** A camera is smaller before it stutters, a screen stutters before its text blurs. */
const CAMERA = { fps: [30, 20], scales: [0.75, 0.5, 0.375, 0.25], last: 10 } as const;
const SCREEN = { fps: [30, 15, 8], scales: [0.75, 0.5], last: 5 } as const;
/** No step but the last is less high (or wide) than this. */
const LEAST_SIDE = 144;
/** Above the least of the next better step before that is tried: less, and a little noise would take it back again. */
export const STEP_UP = 1.3;

/** What is made of a captured size, best first. */
export function ladder(captured: Size, source: TrackInfo['source']): Step[] {
  const { fps, scales, last } = source === 'screen' ? SCREEN : CAMERA;
  const full = pictureSize(captured, source);
  const sizes = scales.map((scale) => scaled(full, scale)).filter((size) => Math.min(size.width, size.height) >= LEAST_SIDE);
  const slow = fps[fps.length - 1]!;
  const smallest = sizes.at(-1) ?? full;
  const all = [
    ...fps.map((rate) => ({ ...full, fps: rate })),
    ...sizes.map((size) => ({ ...size, fps: slow })),
    { ...smallest, fps: last },
    { ...scaled(smallest, 0.5), fps: last },
  ];
  return withBitrates(all);
}

/** Each step may use what the next better one needs to be tried, or a better link would never show. */
function withBitrates(all: (Size & { fps: number })[]): Step[] {
  const steps: Step[] = [];
  for (const step of all) {
    const good = pictureBitrate(step) * (step.fps / FULL_FPS) ** FPS_GROWTH;
    const better = steps.at(-1);
    steps.push({ ...step, least: Math.round(good * LEAST_SHARE), most: Math.round(Math.max(good, better ? better.least * STEP_UP * 1.05 : 0)) });
  }
  return steps;
}
