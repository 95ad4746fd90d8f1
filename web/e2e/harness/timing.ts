// Times what happens in pages on one clock: when a camera's frame is shown, and when a beep is made or heard.

import type { Page } from 'playwright-core';
import type { Picture } from './probe';

/** Something that was shown or sounded. what: a frame number, or a pitch in Hz. at: wall clock, ms. */
export interface Sighting {
  what: number;
  at: number;
}

interface Sightings {
  /** Frames of one's own camera, as the page shows them. */
  own: Sighting[];
  /** Frames of the other's camera. */
  other: Sighting[];
  /** Beeps that the microphone took up. */
  made: Sighting[];
  /** Beeps that the page plays. */
  heard: Sighting[];
  /** Flashes of white; what: 0. */
  flashes: Sighting[];
  /** How loud each 10 ms of what the page plays were: the root of the mean square. */
  levels: number[];
}

interface Timing extends Sightings {
  watchOwn(video: HTMLVideoElement): void;
  watchOther(canvas: HTMLCanvasElement): void;
  /** At some of them only: some seven a second. */
  glanceAtOther(canvas: HTMLCanvasElement): void;
  watchFlashes(canvas: HTMLCanvasElement): void;
  /** To the microphone, and to what the page plays. */
  listen(): Promise<void>;
  /** To what the page plays. */
  hear(): Promise<void>;
}

declare global {
  interface Window {
    timing: Timing;
  }
}

/** Handed to the page as source text, after the probe. It needs a page without a content policy. */
export function installTiming(): void {
  const own: Sighting[] = [];
  const other: Sighting[] = [];
  const made: Sighting[] = [];
  const heard: Sighting[] = [];
  const flashes: Sighting[] = [];
  const levels: number[] = [];
  const wall = (now: number) => performance.timeOrigin + now;

  /** How light 16 places of a line are, of which two are read and no more: drawing it would take half a core from those who are timed. */
  const line = async (frame: VideoFrame, part: number): Promise<number[]> => {
    const { codedWidth: width, codedHeight: height } = frame;
    const rect = { x: 0, y: 2 * Math.round((height * part) / 2), width: width & ~1, height: 2 };
    const bytes = new Uint8Array(frame.allocationSize({ rect }));
    const planar = frame.format?.startsWith('I420') || frame.format === 'NV12';
    const [{ offset }] = await frame.copyTo(bytes, { rect }) as [PlaneLayout];
    return Array.from({ length: 16 }, (_, i) => {
      const x = Math.round(((i + 0.5) * rect.width) / 16);
      return bytes[offset + (planar ? x : 4 * x + 1)]!; // luma, or green
    });
  };
  const stampOf = (lights: readonly number[]): number | undefined => {
    let bits = 0;
    for (const [i, light] of lights.entries()) {
      if (light > 90 && light < 165) return undefined;
      if (light > 128) bits |= 1 << i;
    }
    return bits >> 12 === 0 ? undefined : bits & 4095;
  };
  const lights = async (picture: Picture, part: number): Promise<number[]> => {
    if (picture instanceof HTMLVideoElement ? picture.videoWidth === 0 : picture.width === 0) return [];
    const frame = new VideoFrame(picture, { timestamp: 0 });
    return line(frame, part).finally(() => frame.close());
  };
  const see = async (picture: Picture, list: Sighting[]): Promise<void> => {
    const at = wall(performance.now());
    const what = stampOf(await lights(picture, 1 / 18));
    if (what !== undefined && what !== list.at(-1)?.what) list.push({ what, at });
  };
  const watchOwn = (video: HTMLVideoElement): void => {
    void see(video, own);
    video.requestVideoFrameCallback(() => watchOwn(video));
  };
  const watchOther = (canvas: HTMLCanvasElement): void => {
    void see(canvas, other);
    requestAnimationFrame(() => watchOther(canvas));
  };
  /**
   * A look at a canvas copies it, which at 60 a second would take a third of a core from those who are timed. So it is looked at
   * three times in a row, then not for ten (nor drawn again for nothing): what differs from the look before is new on the screen, and of the first nobody knows.
   */
  const REST_MS = 150;
  const glanceAtOther = (canvas: HTMLCanvasElement): void => {
    let turn = 0;
    let before: number | undefined;
    const look = async (first: boolean): Promise<void> => {
      const at = wall(performance.now());
      const what = stampOf(await lights(canvas, 1 / 18));
      if (!first && what !== undefined && before !== undefined && what !== before) other.push({ what, at });
      before = what;
    };
    const next = (): void => {
      void look(turn === 0);
      turn = (turn + 1) % 3;
      if (turn > 0) requestAnimationFrame(next);
      else setTimeout(() => requestAnimationFrame(next), REST_MS);
    };
    next();
  };

  let white = true;
  const watchFlashes = (canvas: HTMLCanvasElement): void => {
    const at = wall(performance.now());
    void lights(canvas, 1 / 2).then((found) => {
      const now = found[8]! > 128;
      if (now && !white) flashes.push({ what: 0, at });
      white = now;
    });
    requestAnimationFrame(() => watchFlashes(canvas));
  };

  /** Finds beeps behind silence: tells the sample at which each begins, and its pitch by its zero crossings. */
  function detector(sampleRate: number, found: (sample: number, hz: number) => void) {
    const span = Math.round(sampleRate * 0.05);
    let quiet = 0;
    let start = -1;
    let crossings = 0;
    let last = 0;
    return (samples: Float32Array, first: number) => {
      for (let i = 0; i < samples.length; i++) {
        const x = samples[i]!;
        if (start >= 0) {
          if (x * last < 0) crossings++;
          if (first + i - start >= span) {
            found(start, (crossings * sampleRate) / (2 * span));
            start = -1;
            quiet = 0;
          }
        } else if (Math.abs(x) < 0.1) quiet++;
        else {
          if (quiet > sampleRate * 0.1) start = first + i;
          quiet = 0;
          crossings = 0;
        }
        if (x !== 0) last = x;
      }
    };
  }

  /**
   * What the microphone takes up. Captured sound is dated by a clock of its own; what was delivered with the least delay
   * of late tells how that clock stands to ours. A sound counts as made when it went into the device, not when it came out.
   */
  const listenIn = async (track: MediaStreamTrack): Promise<void> => {
    // The types know a processor for video only.
    const processor = new MediaStreamTrackProcessor({ track: track.clone() } as unknown as MediaStreamTrackProcessorInit);
    const reader = processor.readable.getReader() as unknown as ReadableStreamDefaultReader<AudioData>;
    let take: ReturnType<typeof detector> | undefined;
    let samples = 0;
    let begin = 0;
    const lags: number[] = [];
    for (;;) {
      const { value: data } = await reader.read();
      if (!data) return;
      const { sampleRate, timestamp, numberOfFrames } = data;
      take ??= detector(sampleRate, (sample, hz) => made.push({ what: hz, at: begin + ((sample - samples) * 1000) / sampleRate }));
      const end = (timestamp + (numberOfFrames * 1e6) / sampleRate) / 1000;
      lags.push(wall(performance.now()) - end);
      if (lags.length > 200) lags.shift();
      begin = timestamp / 1000 + Math.min(...lags);
      const pcm = new Float32Array(numberOfFrames);
      data.copyTo(pcm, { planeIndex: 0, format: 'f32-planar' });
      data.close();
      take(pcm, samples);
      samples += numberOfFrames;
    }
  };

  const worklet = `
    class Ear extends AudioWorkletProcessor {
      take = (${detector.toString()})(sampleRate, (sample, hz) => this.port.postMessage({ at: sample / sampleRate, hz }));
      sum = 0;
      n = 0;
      levels = [];
      level(samples) {
        for (const x of samples) {
          this.sum += x * x;
          if (++this.n < sampleRate / 100) continue;
          this.levels.push(Math.sqrt(this.sum / this.n));
          this.sum = this.n = 0;
        }
        if (this.levels.length < 100) return;
        this.port.postMessage({ levels: this.levels });
        this.levels = [];
      }
      process([input]) {
        if (input[0]) {
          this.take(input[0], currentFrame);
          this.level(input[0]);
        }
        return true;
      }
    }
    registerProcessor('ear', Ear);`;

  /** What the page plays, by the time at which it leaves the loudspeaker. */
  const hear = async (): Promise<void> => {
    const { context, node } = window.probe.outputs.at(-1)!;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: 'text/javascript' })));
    const ear = new AudioWorkletNode(context, 'ear', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    ear.port.onmessage = ({ data }: MessageEvent<{ at: number; hz: number; levels?: number[] }>) => {
      if (data.levels) return void levels.push(...data.levels);
      const { contextTime, performanceTime } = context.getOutputTimestamp();
      heard.push({ what: data.hz, at: wall(performanceTime!) + (data.at - contextTime!) * 1000 });
    };
    node.connect(ear);
  };

  const listen = async (): Promise<void> => {
    void listenIn(window.probe.microphones.at(-1)!);
    await hear();
  };
  window.timing = { own, other, made, heard, flashes, levels, watchOwn, watchOther, glanceAtOther, watchFlashes, listen, hear };
}

/** What was seen since the last look; it is forgotten by this. */
export function take(page: Page): Promise<Sightings> {
  return page.evaluate(() => {
    const { own, other, made, heard, flashes, levels } = window.timing;
    return { own: own.splice(0), other: other.splice(0), made: made.splice(0), heard: heard.splice(0), flashes: flashes.splice(0), levels: levels.splice(0) };
  });
}

/** ms from each thing at one end to the same at the other, where it comes within 1.5 s. */
export function delays(from: readonly Sighting[], to: readonly Sighting[], same: (a: number, b: number) => boolean): number[] {
  return to.flatMap((late) => {
    const source = from.findLast((early) => same(early.what, late.what) && early.at <= late.at && late.at - early.at < 1_500);
    return source ? [late.at - source.at] : [];
  });
}
