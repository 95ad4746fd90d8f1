// Test support: frames that count who was closed, and encoders that take or refuse them.

import { vi } from 'vitest';

/** Stands in for VideoFrame and AudioData. */
export class FakeFrame {
  static all: FakeFrame[] = [];
  closed = false;
  readonly timestamp: number;
  readonly displayWidth = 640;
  readonly displayHeight = 360;
  readonly sampleRate = 48_000;
  readonly numberOfFrames = 480;
  readonly format = null;

  constructor(source?: unknown, init: { timestamp?: number } = {}, readonly numberOfChannels = 1) {
    this.timestamp = init.timestamp ?? (source instanceof FakeFrame ? source.timestamp : 0);
    FakeFrame.all.push(this);
  }

  clone(): FakeFrame {
    return new FakeFrame(this);
  }

  copyTo(): void {}

  close(): void {
    this.closed = true;
  }
}

export class FakeEncoder {
  /** What all of them were told, in order. */
  static told: string[] = [];
  /** Timestamps of what they were given, and how many of them are open. */
  static stamps: number[] = [];
  static open = 0;
  state = 'configured';
  encodeQueueSize = 0;

  constructor() {
    if (encoders === 'missing') throw new Error('no encoder');
    FakeEncoder.open++;
  }

  configure({ width, height, framerate, bitrate }: Partial<VideoEncoderConfig>): void {
    FakeEncoder.told.push(`${width}x${height}@${framerate} ${bitrate}`);
  }

  encode(frame: { timestamp: number }, options?: VideoEncoderEncodeOptions): void {
    if (encoders === 'refuse') throw new Error('refused');
    FakeEncoder.told.push(options?.keyFrame ? 'key' : 'delta');
    FakeEncoder.stamps.push(frame.timestamp);
  }

  close(): void {
    this.state = 'closed';
    FakeEncoder.open--;
  }
}

let encoders: 'take' | 'refuse' | 'missing' = 'take';

/** Puts the fakes where the platform's classes are. */
export function fakeMedia(behaviour: typeof encoders): void {
  encoders = behaviour;
  FakeFrame.all = [];
  FakeEncoder.told = [];
  FakeEncoder.stamps = [];
  FakeEncoder.open = 0;
  for (const name of ['VideoFrame', 'AudioData']) vi.stubGlobal(name, FakeFrame);
  for (const name of ['VideoEncoder', 'AudioEncoder']) vi.stubGlobal(name, FakeEncoder);
}

/** A frame captured at this time, as the type that is asked for. */
export function frame<T extends VideoFrame | AudioData>(us = 0, channels = 1): T {
  return new FakeFrame(undefined, { timestamp: us }, channels) as unknown as T;
}

export function unclosed(): number {
  return FakeFrame.all.filter(({ closed }) => !closed).length;
}
