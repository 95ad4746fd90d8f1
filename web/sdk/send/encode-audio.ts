// Captured sound to Opus packets of 20 ms, with the level of each.

import type { TrackInfo } from '../api';
import { nowUs } from '../session/clock';
import type { Offer } from '../wire/messages';
import { Monotonic, Timeline } from './capture-clock';
import type { Clock } from './capture-clock';
import { LevelMeter, VOICE_LEVEL } from './level';
import type { OutFrame } from './uplink';

const PACKET_US = 20_000;
const MAX_FAULTS = 5;
const MAX_ENCODE_QUEUE = 25;

export type AudioFormat = Pick<Offer, 'codecString' | 'sampleRate' | 'channels' | 'config'>;

export interface AudioSink {
  format(format: AudioFormat): void;
  frame(frame: OutFrame): void;
  failed(text: string): void;
}

export class AudioEncode {
  private encoder: AudioEncoder | undefined;
  private layout = '';
  private readonly timeline = new Timeline();
  private faults = 0;
  private paused = false;
  private closed = false;
  private readonly meter = new LevelMeter();
  private readonly stamps = new Monotonic();
  private pcm = new Float32Array(0);

  constructor(
    private readonly source: TrackInfo['source'],
    private readonly clock: Clock,
    private readonly sink: AudioSink,
  ) {}

  /** Takes over captured sound. */
  push(data: AudioData): void {
    try {
      if (!this.closed && !this.paused) this.encode(data);
    } finally {
      data.close();
    }
  }

  pause(paused: boolean): void {
    this.paused = paused;
    if (paused) this.restart();
  }

  close(): void {
    this.closed = true;
    this.restart();
  }

  /** Ends the encoder: the next sound starts a new one, so that nothing from before a pause is heard after it. */
  private restart(): void {
    if (this.encoder && this.encoder.state !== 'closed') this.encoder.close();
    this.encoder = undefined;
    this.timeline.reset();
  }

  private encode(data: AudioData): void {
    this.clock.map(data.timestamp, nowUs());
    const layout = `${data.sampleRate}/${Math.min(data.numberOfChannels, 2)}`;
    if (layout !== this.layout) this.restart();
    this.layout = layout;
    this.encoder ??= this.make(data);
    if (this.encoder.encodeQueueSize > MAX_ENCODE_QUEUE) return;
    this.timeline.entered(data.timestamp, (data.numberOfFrames * 1_000_000) / data.sampleRate);
    this.measure(data);
    if (data.numberOfChannels <= 2) return this.encoder.encode(data);
    const stereo = firstTwo(data);
    try {
      this.encoder.encode(stereo);
    } finally {
      stereo.close();
    }
  }

  private measure(data: AudioData): void {
    if (this.pcm.length < data.numberOfFrames) this.pcm = new Float32Array(data.numberOfFrames);
    for (let plane = 0; plane < Math.min(data.numberOfChannels, 2); plane++) {
      const pcm = this.pcm.subarray(0, data.numberOfFrames);
      data.copyTo(pcm, { planeIndex: plane, format: 'f32-planar' });
      this.meter.add(pcm);
    }
  }

  private make(data: AudioData): AudioEncoder {
    const encoder = new AudioEncoder({
      output: (chunk, metadata) => this.output(encoder, chunk, metadata),
      error: (error) => this.recover(encoder, error.message),
    });
    const numberOfChannels = Math.min(data.numberOfChannels, 2);
    encoder.configure({
      codec: 'opus',
      sampleRate: data.sampleRate,
      numberOfChannels,
      bitrate: numberOfChannels === 1 ? 32_000 : this.source === 'mic' ? 64_000 : 96_000,
      opus: { frameDuration: PACKET_US },
    });
    return encoder;
  }

  private output(encoder: AudioEncoder, chunk: EncodedAudioChunk, metadata: EncodedAudioChunkMetadata | undefined): void {
    if (encoder !== this.encoder) return;
    const config = metadata?.decoderConfig;
    if (config) this.sink.format(formatOf(config));
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    const level = this.meter.take();
    const timestamp = this.stamps.next(this.clock.toMember(this.timeline.captureTime(chunk.timestamp)));
    this.sink.frame({ data, key: true, config: false, timestamp, level, voice: level < VOICE_LEVEL });
  }

  private recover(encoder: AudioEncoder, text: string): void {
    if (this.closed || encoder !== this.encoder) return;
    if (++this.faults > MAX_FAULTS) return this.sink.failed(text);
    this.encoder = undefined;
  }
}

function firstTwo(data: AudioData): AudioData {
  const frames = data.numberOfFrames;
  const pcm = new Float32Array(2 * frames);
  for (const planeIndex of [0, 1]) data.copyTo(pcm.subarray(planeIndex * frames, (planeIndex + 1) * frames), { planeIndex, format: 'f32-planar' });
  const { sampleRate, timestamp } = data;
  return new AudioData({ format: 'f32-planar', sampleRate, numberOfFrames: frames, numberOfChannels: 2, timestamp, data: pcm });
}

function formatOf(config: AudioDecoderConfig): AudioFormat {
  const format: AudioFormat = { codecString: config.codec, sampleRate: 48_000, channels: config.numberOfChannels };
  if (config.description) format.config = toBase64(bytesOf(config.description));
  return format;
}

function bytesOf(source: AllowSharedBufferSource): Uint8Array {
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}

function toBase64(data: Uint8Array): string {
  return btoa(String.fromCharCode(...data));
}
