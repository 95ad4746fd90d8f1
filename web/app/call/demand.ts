// How tall a picture is of use on this page. Pure.

export interface Size {
  width: number;
  height: number;
}

/** A picture that is drawn this much larger than it is looks as good as one that fits. */
const STRETCH = 1.15;
/** Heights that are asked for, in device pixels: what changes by little asks for nothing new. */
const HEIGHTS = [90, 135, 180, 240, 270, 360, 480, 540, 720, 900, 1080, 1440, 2160, 4320];

/**
 * The height to ask for, in device pixels, of a picture that is drawn on an element of this size in CSS pixels, whole or so that it
 * fills it; 0, which is any, where nothing is known.
 */
export function heightFor(element: Size, density: number, picture: Partial<Size>, whole: boolean): number {
  const { width = 16, height = 9 } = picture;
  if (element.width <= 0 || element.height <= 0 || width <= 0 || height <= 0) return 0;
  const scales = [element.width / width, element.height / height];
  const scale = whole ? Math.min(...scales) : Math.max(...scales);
  const needed = (height * scale * density) / STRETCH;
  return HEIGHTS.find((step) => step >= needed) ?? 0;
}
