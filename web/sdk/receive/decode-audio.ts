// One received audio track: Opus packets to samples for the player in the AudioWorklet.

import type { WireTrack } from '../wire/messages';
import type { PacketMessage } from './player.worklet';
import { SAMPLE_RATE } from './player';
import type { Pcm } from './stretch';

const MAX_DECODING = 50;
const MAX_CHANNELS = 2;
const MAX_UNANSWERED = 5;

export class AudioDecode {
  private decoder: AudioDecoder | undefined;
  private closed = false;
  /** Timestamps of what is being decoded. The decoder's own run on across gaps as if there were none. */
  private stamps: number[] = [];

  constructor(
    private format: WireTrack,
    private readonly port: MessagePort,
  ) {}

  setFormat(format: WireTrack): void {
    const { channels, config } = this.format;
    this.format = format;
    if (format.channels !== channels || format.config !== config) this.discard();
  }

  push(data: Uint8Array, us: number): void {
    if (this.closed || (this.decoder?.decodeQueueSize ?? 0) > MAX_DECODING) return;
    try {
      this.decoder ??= this.make();
      // A packet that gave no sound must not make all that follow late.
      if (this.decoder.decodeQueueSize === 0 && this.stamps.length > MAX_UNANSWERED) this.stamps = [];
      this.stamps.push(us);
      this.decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: us, data }));
    } catch {
      this.discard();
    }
  }

  close(): void {
    this.closed = true;
    this.discard();
    this.port.close();
  }

  private discard(): void {
    if (this.decoder && this.decoder.state !== 'closed') this.decoder.close();
    this.decoder = undefined;
    this.stamps = [];
  }

  private make(): AudioDecoder {
    const decoder: AudioDecoder = new AudioDecoder({
      output: (sound) => this.output(sound),
      error: () => decoder === this.decoder && this.discard(),
    });
    const numberOfChannels = Math.min(this.format.channels || 1, MAX_CHANNELS);
    const config: AudioDecoderConfig = { codec: 'opus', sampleRate: SAMPLE_RATE, numberOfChannels };
    const description = fromBase64(this.format.config);
    if (description) config.description = description;
    decoder.configure(config);
    return decoder;
  }

  private output(sound: AudioData): void {
    const us = this.stamps.shift() ?? sound.timestamp;
    const channels = Math.min(sound.numberOfChannels, MAX_CHANNELS);
    const pcm: Pcm = [];
    for (let planeIndex = 0; planeIndex < channels; planeIndex++) {
      const plane = new Float32Array(sound.numberOfFrames);
      sound.copyTo(plane, { planeIndex, format: 'f32-planar' });
      pcm.push(plane);
    }
    const message: PacketMessage = { us, pcm };
    sound.close();
    if (!this.closed) this.port.postMessage(message, pcm.map((plane) => plane.buffer as ArrayBuffer));
  }
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return text ? Uint8Array.from(atob(text), (c) => c.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}
