// What a track of a recording is, and how it is decoded: the twin of media/webm/format.go.

import { uint } from './webm';
import type { TrackEntry } from './webm';

export interface FileTrack {
  number: number;
  /** Display name of the member, and which of its tracks it is. */
  name: string;
  id: string;
  /** As the protocol names it, or as the file does where the relay carries no such codec. */
  codec: string;
  /** undefined: there is no way to decode it. */
  video?: VideoDecoderConfig | undefined;
  audio?: AudioDecoderConfig | undefined;
  kind: 'video' | 'audio';
}

const NUMBER_TYPE = 0x83;
const NAME = 0x536e;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;
const WIDTH = 0xb0;
const HEIGHT = 0xba;
const MATRIX = 0x55b1;
const RANGE = 0x55b9;
const TRANSFER = 0x55ba;
const PRIMARIES = 0x55bb;
const CHANNELS = 0x9f;

const TYPE_VIDEO = 1;
const TYPE_AUDIO = 2;
const FULL_RANGE = 2;
const UNSPECIFIED = 2;
const OPUS_RATE = 48_000;

const CODECS: Record<string, string> = { V_VP8: 'vp8', V_VP9: 'vp9', V_AV1: 'av1', 'V_MPEG4/ISO/AVC': 'h264', A_OPUS: 'opus' };

// Code points of ISO/IEC 23091-2 under their WebCodecs names.
const primaries: Record<number, string> = { 1: 'bt709', 5: 'bt470bg', 6: 'smpte170m', 9: 'bt2020', 12: 'smpte432' };
const transfers: Record<number, string> = { 1: 'bt709', 6: 'smpte170m', 8: 'linear', 13: 'iec61966-2-1', 16: 'pq', 18: 'hlg' };
const matrices: Record<number, string> = { 0: 'rgb', 1: 'bt709', 5: 'bt470bg', 6: 'smpte170m', 9: 'bt2020-ncl' };

const utf8 = new TextDecoder();

/** The tracks of sound and picture among those of a file. */
export function fileTracks(entries: readonly TrackEntry[]): FileTrack[] {
  return entries.flatMap((entry) => fileTrack(entry) ?? []);
}

function fileTrack({ number, fields }: TrackEntry): FileTrack | undefined {
  const text = (id: number): string => utf8.decode(fields.get(id)).replace(/\0+$/, '');
  const type = uint(fields.get(NUMBER_TYPE) ?? new Uint8Array());
  const codec = CODECS[text(CODEC_ID)] ?? text(CODEC_ID);
  const track = { number, ...namesOf(text(NAME)), codec };
  if (type === TYPE_VIDEO) return { ...track, kind: 'video', video: videoConfig(codec, fields) };
  if (type === TYPE_AUDIO) return { ...track, kind: 'audio', audio: audioConfig(codec, fields) };
  return undefined;
}

/** The recorder names a track by its member and what it is there: "Bob · camera". */
function namesOf(title: string): { name: string; id: string } {
  const at = title.lastIndexOf(' · ');
  return at < 0 ? { name: title, id: '' } : { name: title.slice(0, at), id: title.slice(at + 3) };
}

type FieldMap = TrackEntry['fields'];

function videoConfig(codec: string, fields: FieldMap): VideoDecoderConfig | undefined {
  const config = fields.get(CODEC_PRIVATE) ?? new Uint8Array();
  const name = codecString(codec, config);
  if (!name) return undefined;
  const [width, height] = [WIDTH, HEIGHT].map((id) => uint(fields.get(id) ?? new Uint8Array())) as [number, number];
  const colorSpace = colourOf(fields);
  return {
    codec: name,
    ...(width > 0 && height > 0 && { codedWidth: width, codedHeight: height }),
    ...(colorSpace && { colorSpace }),
    ...(codec === 'h264' && { description: config }),
    optimizeForLatency: true,
  };
}

function codecString(codec: string, config: Uint8Array): string | undefined {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  const two = (n: number): string => String(n).padStart(2, '0');
  if (codec === 'vp8') return 'vp8';
  if (codec === 'vp9') {
    // ID, length and value of each feature: profile, level, depth. The decoder goes by the stream, and needs to know no more than the profile.
    const feature = (id: number): number | undefined => [0, 3, 6, 9].flatMap((at) => (config[at] === id ? config[at + 2] : undefined) ?? []).at(0);
    return `vp09.${two(feature(1) ?? 0)}.${two(feature(2) ?? 41)}.${two(feature(3) ?? 8)}`;
  }
  const [, a = 0, b = 0, c = 0] = config;
  if (codec === 'av1' && config.length < 4) return 'av01.0.08M.08';
  if (codec === 'av1') return `av01.${a >> 5}.${two(a & 31)}${b & 0x80 ? 'H' : 'M'}.${two(b & 0x40 ? (b & 0x20 ? 12 : 10) : 8)}`;
  if (codec === 'h264' && config.length >= 4) return `avc1.${hex(a)}${hex(b)}${hex(c)}`;
  return undefined;
}

/** Without it browsers show colours of another standard than the ones that were sent. */
function colourOf(fields: FieldMap): VideoColorSpaceInit | undefined {
  const point = (id: number): number => uint(fields.get(id) ?? Uint8Array.of(UNSPECIFIED));
  const space = {
    primaries: primaries[point(PRIMARIES)] ?? null,
    transfer: transfers[point(TRANSFER)] ?? null,
    matrix: matrices[point(MATRIX)] ?? null,
  };
  if (!space.primaries && !space.transfer && !space.matrix) return undefined;
  return { ...space, fullRange: uint(fields.get(RANGE) ?? new Uint8Array()) === FULL_RANGE } as VideoColorSpaceInit;
}

function audioConfig(codec: string, fields: FieldMap): AudioDecoderConfig | undefined {
  if (codec !== 'opus') return undefined;
  const numberOfChannels = Math.max(1, uint(fields.get(CHANNELS) ?? Uint8Array.of(1)));
  const description = fields.get(CODEC_PRIVATE);
  // The header says how channels are mapped; where there are one or two it is not needed.
  return { codec: 'opus', sampleRate: OPUS_RATE, numberOfChannels, ...(numberOfChannels > 2 && description && { description }) };
}
