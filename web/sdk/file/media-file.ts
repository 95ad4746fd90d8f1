// A file of the platform's file picker as tracks of pieces, read by mediabunny. It is loaded when the first file is to be streamed,
// and not before: it is as large as all the rest.

import {
  ADTS, BlobSource, EncodedPacketSink, FLAC, Input, InputAudioTrack, Logging, LogLevel, MATROSKA, MP3, MP4, MPEG_TS, OGG, QTFF,
  UnsupportedInputFormatError, WAVE, WEBM,
} from 'mediabunny';
import type { EncodedPacket, InputVideoTrack } from 'mediabunny';
import type { Format } from '../send/publications';
import { FileStreamError } from './api';
import type { FileTrackLeftOut } from './api';
import { carriedSound, carriedVideo } from './carried';
import type { Carried } from './carried';
import { decodedPictures, decodedSound } from './decoded';
import type { Timed } from './timetable';

/** What becomes due at a time: a frame that goes as it is, or decoded media, with times of the stream. */
export type Piece = Timed & ({ frame: { data: Uint8Array; key: boolean } } | { data: VideoFrame | AudioData });

export interface MediaTrack {
  kind: 'audio' | 'video';
  /** Of the file. */
  codec: string;
  /** How it is announced where its frames go as they are. */
  carried: { codec: string; format: Format } | undefined;
  /** All of it from the beginning, with so many µs added to its times; the file begins at 0. What is given is the receiver's to close. */
  pieces(offset: number): AsyncGenerator<Piece>;
}

export interface MediaFile {
  /** µs; 0: not known. */
  duration: number;
  tracks: MediaTrack[];
  leftOut: FileTrackLeftOut[];
  close(): void;
}

const FORMATS = [MP4, QTFF, WEBM, MATROSKA, OGG, MP3, WAVE, FLAC, ADTS, MPEG_TS];
/** What a file cuts off at its beginning by times before 0 must be decoded to be left out. A decoder's run-in is shorter, and does no harm. */
const CUT_S = 0.1;

/** Sample entries of MP4 for what is encrypted; the first two by a scheme that has keys for each file. */
const ENCRYPTED = new Set(['encv', 'enca', 'drmi', 'drms']);

/** Asked for a key, in the middle of reading. */
class Protected extends Error {}

/** Rejects with a FileStreamError. */
export async function openFile(file: Blob): Promise<MediaFile> {
  // What it has to say is told by the error.
  Logging.level = LogLevel.Silent;
  if (file.size === 0) throw new FileStreamError({ code: 'empty', text: 'the file is empty' });
  const resolveKeyId = (): never => {
    throw new Protected();
  };
  const input = new Input({ source: new BlobSource(file), formats: FORMATS, formatOptions: { isobmff: { resolveKeyId } } });
  try {
    return await opened(input);
  } catch (error) {
    input.dispose();
    throw faultOf(error);
  }
}

/** What went wrong in reading, at the beginning or later. */
export function faultOf(error: unknown): FileStreamError {
  if (error instanceof FileStreamError) return error;
  if (error instanceof UnsupportedInputFormatError) return new FileStreamError({ code: 'unknown-container', text: 'this is no media file of a known kind' });
  if (error instanceof Protected) return new FileStreamError({ code: 'protected', text: 'it is encrypted against copying' });
  const decoding = error instanceof DOMException && error.name === 'EncodingError';
  const text = error instanceof Error ? error.message : String(error);
  return new FileStreamError({ code: decoding ? 'cannot-decode' : 'unreadable', text });
}

interface Found {
  track: InputVideoTrack | InputAudioTrack;
  codec: string;
  carried: Carried | undefined;
  /** Where it begins, s. */
  first: number;
}

async function opened(input: Input): Promise<MediaFile> {
  const primary = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
  const leftOut: FileTrackLeftOut[] = [];
  const found: Found[] = [];
  for (const track of primary) {
    const what = track && (await find(track));
    if (what && 'code' in what) leftOut.push(what);
    else if (what) found.push(what);
  }
  if (found.length === 0) throw nothingOf(leftOut);
  const begins = Math.min(...found.map(({ first }) => first));
  const ends = (await input.getDurationFromMetadata()) ?? (await input.computeDuration());
  const tracks = found.map((what) => mediaTrack(what, begins));
  return { duration: Math.max(0, micros(ends - begins)), tracks, leftOut, close: () => input.dispose() };
}

function nothingOf([first]: FileTrackLeftOut[]): FileStreamError {
  if (!first) return new FileStreamError({ code: 'no-tracks', text: 'neither sound nor pictures are in it' });
  const { code, codec, kind } = first;
  if (code === 'protected') return new FileStreamError({ code, text: 'it is encrypted against copying' });
  return new FileStreamError({ code, text: `this browser does not decode ${codec || 'this kind of'} ${kind}` });
}

/** What can be made of a track; undefined: nothing is in it. */
async function find(track: InputVideoTrack | InputAudioTrack): Promise<Found | FileTrackLeftOut | undefined> {
  const kind = track instanceof InputAudioTrack ? 'audio' : 'video';
  const internal = await track.getInternalCodecId();
  const known = await track.getCodec();
  const codec = known ?? (typeof internal === 'string' ? internal : '');
  if (!known && ENCRYPTED.has(codec)) return { kind, codec: '', code: 'protected' };
  let packet: EncodedPacket | null;
  try {
    packet = await new EncodedPacketSink(track).getFirstPacket({ verifyKeyPackets: true });
  } catch (error) {
    if (error instanceof Protected) return { kind, codec, code: 'protected' };
    throw error;
  }
  if (!packet) return undefined;
  const { timestamp } = packet;
  const carried = timestamp < -CUT_S ? undefined : track instanceof InputAudioTrack ? await carriedSound(track) : await carriedVideo(track, packet);
  if (!carried && !(await track.canDecode())) return { kind, codec, code: 'cannot-decode' };
  return { track, codec, carried, first: carried ? timestamp : Math.max(0, timestamp) };
}

function mediaTrack({ track, codec, carried }: Found, begins: number): MediaTrack {
  const start = micros(begins);
  const decoded = track instanceof InputAudioTrack ? decodedSound(track) : decodedPictures(track);
  return {
    kind: track instanceof InputAudioTrack ? 'audio' : 'video',
    codec,
    carried,
    pieces: (offset) => (carried ? untouched(new EncodedPacketSink(track), carried, offset - start) : decoded(offset - start)),
  };
}

/** Frames as they are; what comes before the first key frame cannot be decoded, and is left out. */
async function* untouched(sink: EncodedPacketSink, carried: Carried, shift: number): AsyncGenerator<Piece> {
  let begun = false;
  for await (const packet of sink.packets(undefined, undefined, { verifyKeyPackets: true })) {
    const frame = carried.frame(packet.data, packet.type === 'key');
    begun ||= frame.key;
    if (begun) yield { us: micros(packet.timestamp) + shift, duration: micros(packet.duration), frame };
  }
}

function micros(seconds: number): number {
  return Math.round(seconds * 1_000_000);
}
