import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileStreamError } from './api';
import { openFile } from './media-file';
import type { MediaTrack, Piece } from './media-file';

const testdata = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(import.meta.dirname, '../../../testdata', name)));

async function all(track: MediaTrack, offset = 0): Promise<Extract<Piece, { frame: unknown }>[]> {
  const pieces = [];
  for await (const piece of track.pieces(offset)) if ('frame' in piece) pieces.push(piece);
  return pieces;
}

async function refused(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const error: unknown = await openFile(new Blob([data])).catch((error: unknown) => error);
  return error instanceof FileStreamError ? error.code : 'opened';
}

describe('a file that the relay carries', () => {
  test('is announced as it is', async () => {
    const { duration, tracks, leftOut, close } = await openFile(new Blob([testdata('bunny-4s.webm')]));
    expect(duration / 1_000_000).toBeCloseTo(4, 0);
    expect(leftOut).toEqual([]);
    expect(tracks.map(({ kind, codec, carried }) => [kind, codec, carried?.codec])).toEqual([['video', 'vp8', 'vp8'], ['audio', 'opus', 'opus']]);
    expect(tracks[0]!.carried!.format).toMatchObject({ codecString: 'vp8', width: 320, height: 180 });
    expect(atob((tracks[1]!.carried!.format as { config: string }).config)).toMatch(/^OpusHead/);
    close();
  });

  test('gives its packets with times from 0, in each round later by as much', async () => {
    const { tracks, close } = await openFile(new Blob([testdata('bunny-4s.webm')]));
    const [video, audio] = [await all(tracks[0]!), await all(tracks[1]!)];
    expect(audio[0]!.us).toBe(0);
    expect(video[0]).toMatchObject({ us: 7_000, frame: { key: true } });
    expect(video.slice(1, 20).every(({ us }, i) => us > video[i]!.us)).toBe(true);
    expect(video[0]!.frame.data.length).toBe(26_838);
    const again = await all(tracks[0]!, 5_000_000);
    expect(again.map(({ us }) => us - 5_000_000)).toEqual(video.map(({ us }) => us));
    close();
  });

  test('is read as far as it goes where its tail is cut off', async () => {
    const data = testdata('bunny-4s.webm');
    const { tracks, close } = await openFile(new Blob([data.subarray(0, data.length * 0.7)]));
    const whole = await all((await openFile(new Blob([data]))).tracks[0]!);
    const cut = await all(tracks[0]!);
    expect(cut.length).toBeGreaterThan(whole.length / 3);
    expect(cut.map(({ frame }) => frame.data.length)).toEqual(whole.slice(0, cut.length).map(({ frame }) => frame.data.length));
    close();
  });

  test('may have sound alone', async () => {
    const { tracks, close } = await openFile(new Blob([testdata('jfk-3s.opus')]));
    expect(tracks.map(({ kind, carried }) => [kind, carried?.codec])).toEqual([['audio', 'opus']]);
    expect((await all(tracks[0]!)).length).toBeGreaterThan(100);
    close();
  });
});

describe('what cannot be streamed is refused by name', () => {
  test('nothing', async () => expect(await refused(new Uint8Array())).toBe('empty'));
  test('no media', async () => expect(await refused(new TextEncoder().encode('not a film '.repeat(100)))).toBe('unknown-container'));

  test('a codec that this browser does not know', async () => {
    const data = testdata('bunny-4s.webm');
    const text = Buffer.from(data).toString('latin1').replace('V_VP8', 'V_XYZ').replace('A_OPUS', 'A_NONE');
    expect(await refused(Uint8Array.from(Buffer.from(text, 'latin1')))).toBe('cannot-decode');
  });
});
