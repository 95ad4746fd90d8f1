// What runs inside a page before the app does. It listens at the page's own sound output, keeps the captured tracks, and
// reads pictures; it changes nothing of what the app does.

import type { RoomStats } from '../../sdk';

export interface Heard {
  /** Root mean square of the last 170 ms of everything the page plays. */
  rms: number;
  /** Frequency of the strongest tone, Hz. */
  peak: number;
  /** Level of each tone that was asked for, dB of full scale. */
  tones: number[];
}

export interface Stamp {
  /** Whose camera. */
  id: number;
  /** Number of the frame, 0 to 299 for fake cameras. */
  frame: number;
}

export type Picture = HTMLCanvasElement | HTMLVideoElement;

export interface Probe {
  /** Violations of the content policy. */
  violations: string[];
  microphones: MediaStreamTrack[];
  /** What the page plays: the context and the node before its destination. */
  outputs: { context: AudioContext; node: AudioNode; analyser: AnalyserNode }[];
  hear(tones: number[]): Heard | undefined;
  stamp(picture: Picture): Stamp | undefined;
  /** A number that changes with the picture; 0 when it is one flat colour. */
  look(picture: Picture): number;
  /** What the room knows of itself now. */
  stats(): Promise<RoomStats>;
  /** Notes it ten times a second from now on; at: wall clock, ms. */
  record(): void;
  recorded: { at: number; stats: RoomStats }[];
  /** ms from the next click on the button of this text to the first picture that is not one flat colour. */
  timeToPicture(button: string, label: string): Promise<number>;
}

declare global {
  interface Window {
    probe: Probe;
  }
}

/** Handed to the page as source text: it must not refer to anything outside itself. */
export function install(): void {
  const violations: string[] = [];
  const microphones: Probe['microphones'] = [];
  const outputs: Probe['outputs'] = [];
  document.addEventListener('securitypolicyviolation', (event) => violations.push(`${event.violatedDirective}: ${event.blockedURI}`));

  const connect = AudioNode.prototype.connect as (this: AudioNode, ...args: unknown[]) => AudioNode;
  AudioNode.prototype.connect = function (this: AudioNode, ...args: unknown[]) {
    if (args[0] instanceof AudioDestinationNode) {
      const context = this.context as AudioContext;
      const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
      connect.call(this, analyser);
      outputs.push({ context, node: this, analyser });
    }
    return connect.apply(this, args);
  } as typeof AudioNode.prototype.connect;

  const { mediaDevices } = navigator;
  const capture = mediaDevices?.getUserMedia.bind(mediaDevices);
  if (capture) {
    mediaDevices.getUserMedia = async (constraints) => {
      const stream = await capture(constraints);
      microphones.push(...stream.getAudioTracks());
      return stream;
    };
  }

  const hear = (tones: number[]): Heard | undefined => {
    const output = outputs.findLast(({ context }) => context.state === 'running');
    if (!output) return undefined;
    const { analyser, context } = output;
    const samples = new Float32Array(analyser.fftSize);
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatTimeDomainData(samples);
    analyser.getFloatFrequencyData(bins);
    const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
    const width = context.sampleRate / analyser.fftSize;
    const around = (hz: number) => Math.max(...bins.subarray(Math.round(hz / width) - 1, Math.round(hz / width) + 2), -200);
    return { rms, peak: bins.indexOf(Math.max(...bins)) * width, tones: tones.map(around) };
  };

  const small = new OffscreenCanvas(64, 36).getContext('2d', { willReadFrequently: true })!;
  const pixels = (picture: Picture, part: number): Uint8ClampedArray | undefined => {
    const width = picture instanceof HTMLVideoElement ? picture.videoWidth : picture.width;
    const height = picture instanceof HTMLVideoElement ? picture.videoHeight : picture.height;
    if (width === 0 || height === 0) return undefined;
    small.clearRect(0, 0, 64, 36);
    small.drawImage(picture, 0, 0, width, height * part, 0, 0, 64, 36);
    return small.getImageData(0, 0, 64, 36).data;
  };

  const stamp = (picture: Picture): Stamp | undefined => {
    const data = pixels(picture, 1 / 9);
    if (!data) return undefined;
    let bits = 0;
    for (let i = 0; i < 16; i++) {
      const green = data[4 * (64 * 18 + 4 * i + 2) + 1]!;
      if (green > 90 && green < 165) return undefined;
      if (green > 128) bits |= 1 << i;
    }
    return bits >> 12 === 0 ? undefined : { id: bits >> 12, frame: bits & 4095 };
  };

  const look = (picture: Picture): number => {
    const data = pixels(picture, 1);
    if (!data) return 0;
    let low = 255;
    let high = 0;
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) {
      low = Math.min(low, data[i + 1]!);
      high = Math.max(high, data[i + 1]!);
      sum = (sum * 31 + data[i]! + data[i + 1]! * 3 + data[i + 2]! * 7) % 0x7fffffff;
    }
    return high - low < 30 ? 0 : sum;
  };

  // The room's worker answers whoever asks.
  let room: Worker | undefined;
  let asked = 0;
  window.Worker = class extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      if (options?.name === 'landline') room = this;
    }
  };
  const stats = (): Promise<RoomStats> =>
    new Promise((resolve, reject) => {
      if (!room) return reject(new Error('no room'));
      const worker = room;
      const call = --asked;
      const answer = ({ data }: MessageEvent<{ is: string; call: number; stats: RoomStats }>) => {
        if (data.is !== 'stats' || data.call !== call) return;
        worker.removeEventListener('message', answer);
        resolve(data.stats);
      };
      worker.addEventListener('message', answer);
      worker.postMessage({ do: 'stats', call });
    });
  const recorded: Probe['recorded'] = [];
  const record = () =>
    void setInterval(() => void stats().then((seen) => recorded.push({ at: performance.timeOrigin + performance.now(), stats: seen })), 100);

  const timeToPicture = (button: string, label: string): Promise<number> =>
    new Promise((resolve) => {
      const clicked = (event: Event) => {
        if ((event.target as Element).closest('button')?.textContent?.trim() !== button) return;
        removeEventListener('click', clicked, true);
        const start = performance.now();
        const frame = () => {
          const canvas = document.querySelector<HTMLCanvasElement>(`canvas[aria-label="${label}"]`);
          if (canvas && look(canvas) !== 0) resolve(performance.now() - start);
          else requestAnimationFrame(frame);
        };
        frame();
      };
      addEventListener('click', clicked, true);
    });

  window.probe = { violations, microphones, outputs, hear, stamp, look, stats, record, recorded, timeToPicture };
}
