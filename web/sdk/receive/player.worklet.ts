// The AudioWorklet around player.ts: one processor per received audio track. Packets come over a port
// from the worker, reports go back over it.

import { Player, SAMPLE_RATE } from './player';
import type { Pcm } from './stretch';

declare const currentTime: number;
declare function registerProcessor(name: string, processor: new () => object): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

export interface PacketMessage {
  us: number;
  pcm: Pcm;
}

/** See Player.meet. */
export interface MeetMessage {
  meet: number | undefined;
}

const REPORT_EVERY_US = 100_000;

class PlayerProcessor extends AudioWorkletProcessor {
  private readonly player = new Player();
  private source: MessagePort | undefined;
  private reportedAt = 0;
  private over = false;

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<MessagePort | 'stop'>) => {
      if (event.data === 'stop') {
        this.over = true;
        this.source?.close();
      } else this.attach(event.data);
    };
  }

  private attach(source: MessagePort): void {
    this.source = source;
    source.onmessage = ({ data }: MessageEvent<PacketMessage | MeetMessage>) => {
      if ('meet' in data) this.player.meet(data.meet);
      else this.player.push(data.us, data.pcm, currentTime * 1_000_000);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0];
    if (this.over || !out?.[0]) return !this.over;
    const nowUs = currentTime * 1_000_000;
    this.player.pull(out, nowUs);
    if (nowUs - this.reportedAt >= REPORT_EVERY_US) {
      this.reportedAt = nowUs;
      this.source?.postMessage(this.player.report(nowUs + (out[0].length * 1_000_000) / SAMPLE_RATE));
    }
    return true;
  }
}

registerProcessor('landline-player', PlayerProcessor);
