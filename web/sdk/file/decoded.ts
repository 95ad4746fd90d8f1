// Tracks of a file that the relay does not carry as they are, decoded.

import { AudioSampleSink, VideoSampleSink } from 'mediabunny';
import type { AudioSample, InputAudioTrack, InputVideoTrack, VideoSample } from 'mediabunny';
import type { Piece } from './media-file';
import { mixed } from './mix';

type Pieces = (shift: number) => AsyncGenerator<Piece>;

const MAX_CHANNELS = 2;

export function decodedPictures(track: InputVideoTrack): Pieces {
  return (shift) => pieces(new VideoSampleSink(track).samples(), shift, picture);
}

export function decodedSound(track: InputAudioTrack): Pieces {
  return (shift) => pieces(new AudioSampleSink(track).samples(), shift, sound);
}

/** What ends before 0 is not to be shown. */
async function* pieces<S extends VideoSample | AudioSample>(samples: AsyncIterable<S>, shift: number, make: (sample: S, timestamp: number) => VideoFrame | AudioData): AsyncGenerator<Piece> {
  for await (const sample of samples) {
    try {
      const us = Math.round(sample.timestamp * 1_000_000);
      const duration = Math.round(sample.duration * 1_000_000);
      if (us + duration > 0) yield { us: us + shift, duration, data: make(sample, us + shift) };
    } finally {
      sample.close();
    }
  }
}

/** Upright: that a picture is turned is said by the file, and nobody tells those who receive it. */
function picture(sample: VideoSample, timestamp: number): VideoFrame {
  if (sample.rotation !== 0 || sample.flip) {
    const canvas = new OffscreenCanvas(sample.displayWidth, sample.displayHeight);
    sample.draw(canvas.getContext('2d')!, 0, 0);
    return new VideoFrame(canvas, { timestamp });
  }
  const frame = sample.toVideoFrame();
  try {
    return new VideoFrame(frame, { timestamp });
  } finally {
    frame.close();
  }
}

function sound(sample: AudioSample, timestamp: number): AudioData {
  const { numberOfChannels, numberOfFrames, sampleRate } = sample;
  const all = Array.from({ length: numberOfChannels }, (_, planeIndex) => {
    const plane = new Float32Array(numberOfFrames);
    sample.copyTo(plane, { planeIndex, format: 'f32-planar' });
    return plane;
  });
  const planes = numberOfChannels > MAX_CHANNELS ? mixed(all) : all;
  const data = new Float32Array(numberOfFrames * planes.length);
  planes.forEach((plane, i) => data.set(plane, i * numberOfFrames));
  return new AudioData({ format: 'f32-planar', sampleRate, numberOfFrames, numberOfChannels: planes.length, timestamp, data });
}
