// An AudioWorklet that hands on what is captured, in pieces of 20 ms. For browsers without
// MediaStreamTrackProcessor.

declare const currentTime: number;
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => object): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class TapProcessor extends AudioWorkletProcessor {
  private readonly size = Math.round(sampleRate / 50);
  private planes: Float32Array<ArrayBuffer>[] = [];
  private filled = 0;

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0];
    if (!input?.[0]) return true;
    let from = 0;
    while (from < input[0].length) {
      const channels = Math.min(input.length, 2);
      if (this.planes.length !== channels) this.begin(channels);
      const n = Math.min(this.size - this.filled, input[0].length - from);
      this.planes.forEach((plane, c) => plane.set(input[c]!.subarray(from, from + n), this.filled));
      this.filled += n;
      from += n;
      if (this.filled === this.size) this.handOn(from);
    }
    return true;
  }

  private begin(channels: number): void {
    this.planes = Array.from({ length: channels }, () => new Float32Array(this.size));
    this.filled = 0;
  }

  /** The piece ends at sample `end` of the current quantum. */
  private handOn(end: number): void {
    const us = Math.round((currentTime + (end - this.size) / sampleRate) * 1_000_000);
    this.port.postMessage(
      { us, pcm: this.planes },
      this.planes.map((plane) => plane.buffer),
    );
    this.begin(this.planes.length);
  }
}

registerProcessor('landline-tap', TapProcessor);
