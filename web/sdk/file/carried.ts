// Which tracks of a file the relay carries as they are (docs/protocol.md section 10), and how they are announced.

import { EncodedPacketSink } from 'mediabunny';
import type { EncodedPacket, InputAudioTrack, InputVideoTrack } from 'mediabunny';
import type { AudioFormat } from '../send/encode-audio';
import type { VideoFormat } from '../send/encode-layer';
import { AnnexB } from './annexb';
import { TemporalUnits } from './obus';

export interface Carried {
  codec: string;
  format: VideoFormat | AudioFormat;
  /** A frame as the relay carries it. Throws for what is none. */
  frame(data: Uint8Array, key: boolean): { data: Uint8Array; key: boolean };
}

const MAX_CHANNELS = 2;
/** So many frames tell whether they are shown in another order than they are decoded. */
const LOOKED_AT = 300;

const asItIs = (data: Uint8Array, key: boolean): { data: Uint8Array; key: boolean } => ({ data, key });

export async function carriedSound(track: InputAudioTrack): Promise<Carried | undefined> {
  const config = await track.getDecoderConfig();
  if ((await track.getCodec()) !== 'opus' || !config || config.numberOfChannels > MAX_CHANNELS) return undefined;
  const format: AudioFormat = { codecString: 'opus', sampleRate: 48_000, channels: config.numberOfChannels };
  if (config.description) format.config = btoa(String.fromCharCode(...bytesOf(config.description)));
  return { codec: 'opus', format, frame: asItIs };
}

/** first: its first packet. */
export async function carriedVideo(track: InputVideoTrack, first: EncodedPacket): Promise<Carried | undefined> {
  const config = await track.getDecoderConfig();
  const made = config && (await conversion(track, config, first));
  if (!made || !(await upright(track))) return undefined;
  const { colorSpace } = config;
  const format: VideoFormat = { codecString: config.codec, width: await track.getCodedWidth(), height: await track.getCodedHeight() };
  if (colorSpace?.matrix) {
    const { primaries, transfer, matrix, fullRange } = colorSpace;
    format.colour = { primaries: primaries ?? '', transfer: transfer ?? '', matrix, fullRange: fullRange ?? false };
  }
  return { ...made, format };
}

/** Turned pictures, and those whose pixels are no squares, are so by word of the file alone. */
async function upright(track: InputVideoTrack): Promise<boolean> {
  const square = (await track.getSquarePixelWidth()) === (await track.getCodedWidth());
  return square && (await track.getRotation()) === 0 && !(await track.getFlip());
}

async function conversion(track: InputVideoTrack, { description }: VideoDecoderConfig, first: EncodedPacket): Promise<Pick<Carried, 'codec' | 'frame'> | undefined> {
  const codec = await track.getCodec();
  switch (codec) {
    case 'vp8':
    case 'vp9':
      return { codec, frame: asItIs };
    case 'avc': {
      if (!description) return undefined;
      const units = new AnnexB(bytesOf(description));
      if (!units.baseline && (await reorders(track))) return undefined;
      return { codec: 'h264', frame: (data) => units.frame(data) };
    }
    case 'av1': {
      const units = new TemporalUnits(description && bytesOf(description));
      const frame = (data: Uint8Array, key: boolean): { data: Uint8Array; key: boolean } => ({ data: units.frame(data, key), key });
      // A stream that has its sequence header nowhere is not known before the first frame is looked at.
      const whole = (): boolean => frame(first.data, true).data.length > 0;
      return attempt(whole) ? { codec, frame } : undefined;
    }
    default:
      return undefined;
  }
}

function attempt(what: () => boolean): boolean {
  try {
    return what();
  } catch {
    return false;
  }
}

async function reorders(track: InputVideoTrack): Promise<boolean> {
  let last = -Infinity;
  let seen = 0;
  for await (const { timestamp } of new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true })) {
    if (timestamp < last) return true;
    last = timestamp;
    if (++seen >= LOOKED_AT) break;
  }
  return false;
}

function bytesOf(source: AllowSharedBufferSource): Uint8Array {
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}
