// The renditions of one's own picture: the best one, which the ladder adapts, and smaller ones for those who show it small, or
// have a thin link. Pure.

import type { TrackInfo } from '../api';
import { pictureSize, scaled } from './picture';
import type { Size } from './picture';

/** A picture with this many lines, or columns where those are fewer, has a smaller one of half its size, and one of a quarter. */
const HALF_FROM = 360;
const QUARTER_FROM = 720;
const SCALES = [0.25, 0.5, 1];

/** 100 kbit/s for 320x180, 250 for 640x360: four times the pixels show with 2.5 times the bits. */
const SMALL_PIXELS = 320 * 180;
const SMALL_BITRATE = 100_000;
const GROWTH = 0.66;
const CAMERA_FPS = 20;
const SCREEN_FPS = 10;

/** How many layers there are of a captured size, 1 to 3. */
export function layerCount(captured: Size, source: TrackInfo['source']): number {
  const { width, height } = pictureSize(captured, source);
  const side = Math.min(width, height);
  return side >= QUARTER_FROM ? 3 : side >= HALF_FROM ? 2 : 1;
}

/** The sizes of so many layers, the smallest first. */
export function layerSizes(captured: Size, source: TrackInfo['source'], count: number): Size[] {
  const full = pictureSize(captured, source);
  return SCALES.slice(-count).map((scale) => scaled(full, scale));
}

/** What a layer gets that is not the best one of those that are made. */
export function smallEncoding(size: Size, source: TrackInfo['source']): Size & { fps: number; bitrate: number } {
  const bitrate = Math.round(SMALL_BITRATE * ((size.width * size.height) / SMALL_PIXELS) ** GROWTH);
  return { ...size, fps: source === 'screen' ? SCREEN_FPS : CAMERA_FPS, bitrate };
}
