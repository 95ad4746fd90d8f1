// A picture of a recording in a codec of which the relay has none: its first, decoded in the page.

/** As wide as lists show it, twice, for screens of many pixels. */
const WIDTH = 320;

/** Reads as much of a file as its first picture takes. undefined where it has none, or this browser cannot decode it. */
export async function firstPicture(url: string, headers: Record<string, string>): Promise<Blob | undefined> {
  const { ALL_FORMATS, CanvasSink, Input, UrlSource } = await import('mediabunny');
  const source = new UrlSource(url, { requestInit: { headers }, getRetryDelay: () => null, maxCacheSize: 8 << 20 });
  using input = new Input({ source, formats: ALL_FORMATS });
  const track = await input.getPrimaryVideoTrack();
  if (!track || !(await track.canDecode())) return undefined;
  const picture = await new CanvasSink(track, { width: WIDTH }).getCanvas(await track.getFirstTimestamp());
  if (!picture) return undefined;
  const { canvas } = picture;
  if (canvas instanceof OffscreenCanvas) return canvas.convertToBlob({ type: 'image/webp' });
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? undefined), 'image/webp'));
}
