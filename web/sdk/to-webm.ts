// Makes a media file that the browser can read into WebM. Tracks that the relay carries stay as they are, packet by packet.

import { RecordingsError } from './api';

/** An EBML head, with which WebM and Matroska begin (RFC 8794 section 11.2). */
const EBML = [0x1a, 0x45, 0xdf, 0xa3];

/** Reports whether a file is one of those that the relay looks into itself. */
export async function isMatroska(file: Blob): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, EBML.length).arrayBuffer());
  return EBML.every((byte, i) => head[i] === byte);
}

/** What has come so far is handed to the browser in pieces of this size, which it may keep on disk, bytes. */
const PIECE = 4 << 20;

class Pieces {
  private readonly whole: Blob[] = [];
  private fresh: BlobPart[] = [];
  private size = 0;

  take(data: Uint8Array<ArrayBuffer>): void {
    this.fresh.push(data);
    if ((this.size += data.length) >= PIECE) this.put();
  }

  file(): Blob {
    this.put();
    return new Blob(this.whole, { type: 'video/webm' });
  }

  private put(): void {
    this.whole.push(new Blob(this.fresh));
    [this.fresh, this.size] = [[], 0];
  }
}

/** progress is told how much of it is made, 0 to 1. Rejects with a RecordingsError, or an AbortError where signal says so. */
export async function toWebM(file: Blob, progress: (part: number) => void, signal?: AbortSignal): Promise<Blob> {
  const { ALL_FORMATS, BlobSource, Conversion, Input, Output, StreamTarget, WebMOutputFormat } = await import('mediabunny');
  using input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
  if (!(await input.canRead())) throw new RecordingsError(415, 'it is no media file that this browser can read');
  const pieces = new Pieces();
  const target = new StreamTarget(new WritableStream({ write: ({ data }) => pieces.take(data) }));
  const output = new Output({ format: new WebMOutputFormat({ appendOnly: true }), target });
  const conversion = await Conversion.init({
    input,
    output,
    showWarnings: false,
    video: async (track) => ({ codec: carried(await track.getCodec(), ['vp8', 'vp9', 'av1']), keyFrameInterval: 2, allowTransformationMetadata: false }),
    audio: async (track) => ({ codec: carried(await track.getCodec(), ['opus']) }),
  });
  if (!conversion.isValid || conversion.utilizedTracks.length === 0) throw new RecordingsError(415, 'it has no picture or sound that this browser can decode');
  conversion.onProgress = progress;
  const cancel = (): void => void conversion.cancel();
  signal?.addEventListener('abort', cancel);
  try {
    await conversion.execute();
  } catch (error) {
    signal?.throwIfAborted();
    throw new RecordingsError(415, `it cannot be converted: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
  return pieces.file();
}

/** The codec that a track has afterwards: its own, where the relay carries it. */
function carried<C extends string>(codec: string | null, carries: readonly [C, ...C[]]): C {
  return carries.find((own) => own === codec) ?? carries[0];
}
