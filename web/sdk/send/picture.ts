// Which size and bitrate a captured picture is encoded with where the uplink carries it. Pure.

import type { TrackInfo } from '../api';

export interface Size {
  width: number;
  height: number;
}

const CAMERA_BOX = { long: 1_280, short: 720 };
const SCREEN_BOX = { long: 1_920, short: 1_080 };
const BASE_PIXELS = 640 * 360;
const BASE_BITRATE = 700_000;
/** 1280x720 gets 1.8 Mbit/s: four times the pixels need 2.57 times the bits. */
const GROWTH = 0.68;

/** Fits a captured size into what is sent. */
export function pictureSize(captured: Size, source: TrackInfo['source']): Size {
  const box = source === 'screen' ? SCREEN_BOX : CAMERA_BOX;
  const long = Math.max(captured.width, captured.height);
  const short = Math.min(captured.width, captured.height);
  return scaled(captured, Math.min(1, box.long / long, box.short / short));
}

/** Even in both directions: VP8 halves its colour planes. */
export function scaled({ width, height }: Size, scale: number): Size {
  const even = (n: number): number => Math.max(2, 2 * Math.round((n * scale) / 2));
  return { width: even(width), height: even(height) };
}

/** bit/s for a size. */
export function pictureBitrate({ width, height }: Size): number {
  return Math.round(BASE_BITRATE * ((width * height) / BASE_PIXELS) ** GROWTH);
}
