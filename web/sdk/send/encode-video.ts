// Captured pictures to VP8, in the layers that are wanted now. Owns every VideoFrame given to it.

import type { TrackInfo } from '../api';
import { nowUs } from '../session/clock';
import type { Clock } from './capture-clock';
import { Monotonic } from './capture-clock';
import { LayerEncode } from './encode-layer';
import type { Skip, VideoFormat } from './encode-layer';
import type { Encoding } from './layered';
import type { Size } from './picture';
import { Still } from './still';
import type { OutFrame } from './uplink';

/** A still picture is encoded again when a key frame is wanted and none came for this long, ms. */
const STILL_MS = 100;

/** Layers are counted from 0, the smallest. */
export interface VideoSink {
  /** Of the best layer: what was encoded first, or first after a change. Told before the frame. */
  format(format: VideoFormat): void;
  frame(layer: number, frame: OutFrame): void;
  /** What to make of pictures of this size in each layer; undefined: nothing. */
  encodings(captured: Size): (Encoding | undefined)[];
  /** Why a frame of the layer that is encoded now has no chance to go out in time; undefined when it has. */
  obstacle(layer: number): Skip | undefined;
  /** Whether the next frame of the layer must be a key frame. */
  gated(layer: number): boolean;
  skipped(why: Skip): void;
  /** The encoder failed for good. */
  failed(text: string): void;
}

export class VideoEncode {
  private readonly layers: LayerEncode[];
  private paused = false;
  private closed = false;
  private stillTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly stamps = new Monotonic();
  private readonly still = new Still();

  constructor(
    private readonly source: TrackInfo['source'],
    private readonly clock: Clock,
    private readonly sink: VideoSink,
    layers = 1,
  ) {
    this.layers = Array.from({ length: layers }, (_, i) => this.layer(i, i === layers - 1));
  }

  private layer(at: number, best: boolean): LayerEncode {
    const { sink } = this;
    return new LayerEncode({
      format: (format) => best && sink.format(format),
      // Only of the best layer receivers are told the size that it has now; those below say it in their key frames.
      frame: (frame) => sink.frame(at, best ? frame : { ...frame, config: false }),
      obstacle: () => sink.obstacle(at),
      gated: () => sink.gated(at),
      skipped: (why) => sink.skipped(why),
      again: () => this.forceKey(at),
      failed: (text) => sink.failed(text),
    });
  }

  /** Frames encoded so far, of each layer. */
  get frames(): number[] {
    return this.layers.map(({ frames }) => frames);
  }

  /** Takes over a captured frame. */
  push(frame: VideoFrame): void {
    try {
      if (!this.closed) this.take(frame);
    } finally {
      frame.close();
    }
  }

  private take(frame: VideoFrame): void {
    const us = this.clock.map(frame.timestamp, nowUs());
    const wanted = this.sink.encodings(sizeOf(frame));
    this.encode(frame, us, wanted, (layer, encoding) => layer.due(us, encoding));
    if (this.source === 'screen') this.still.keep(frame);
  }

  /** The next frame shall be a key frame, of one layer or of all; a still picture is encoded again for it. */
  forceKey(at?: number): void {
    for (const [i, layer] of this.layers.entries()) if (at === undefined || at === i) layer.keyWanted = true;
    this.stillTimer ??= setTimeout(() => {
      this.stillTimer = undefined;
      this.encodeStill();
    }, STILL_MS);
  }

  /** Of the layers that still wait for a key frame. */
  private encodeStill(): void {
    const us = nowUs();
    const frame = this.layers.some(({ keyWanted }) => keyWanted) ? this.still.at(us) : undefined;
    if (!frame) return;
    try {
      this.encode(frame, us, this.sink.encodings(sizeOf(frame)), ({ keyWanted }) => keyWanted);
    } finally {
      frame.close();
    }
  }

  pause(paused: boolean): void {
    this.paused = paused;
    if (!paused) this.forceKey();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.stillTimer);
    this.still.close();
    for (const layer of this.layers) layer.close();
  }

  /** Encodes a picture in the layers that are wanted and due, with one timestamp. */
  private encode(frame: VideoFrame, us: number, wanted: (Encoding | undefined)[], due: (layer: LayerEncode, encoding: Encoding) => boolean): void {
    if (this.paused || this.closed) return;
    const made = this.layers.flatMap((layer, i) => {
      const encoding = wanted[i];
      if (!encoding) layer.rest();
      return encoding && due(layer, encoding) && layer.free() ? [{ layer, encoding }] : [];
    });
    if (made.length === 0) return;
    const stamped = new VideoFrame(frame, { timestamp: this.stamps.next(us) });
    try {
      for (const { layer, encoding } of made) layer.encode(stamped, encoding);
    } finally {
      stamped.close();
    }
  }
}

function sizeOf(frame: VideoFrame): Size {
  return { width: frame.displayWidth, height: frame.displayHeight };
}
