// What is known of each received track, made on demand from the counts that receivers keep anyway.

import type { TrackStats } from '../api';
import { AudioReceiver } from './receiver';
import type { VideoReceiver } from './receiver';

type AnyReceiver = VideoReceiver | AudioReceiver;

/** Rates are measured over at least this long, µs. */
const SPAN_US = 250_000;

/** How a track is asked for: not at all, or less of it for the sake of this device. */
interface Asked {
  hidden: boolean;
  limited: boolean;
}

interface Measure {
  at: number;
  bytes: number;
  count: number;
  bitrate: number;
  rate: number;
}

export class StatsMaker {
  private measures = new Map<AnyReceiver, Measure>();
  private dropped = new Map<AnyReceiver, Record<string, number>>();

  drops(receiver: AnyReceiver, frames: Record<string, number>): void {
    this.dropped.set(receiver, frames);
  }

  forget(receiver: AnyReceiver): void {
    this.measures.delete(receiver);
    this.dropped.delete(receiver);
  }

  make(receiver: AnyReceiver, { hidden, limited }: Asked, nowUs: number): TrackStats {
    const { member, track } = receiver.remote;
    const { bitrate, rate } = this.measure(receiver, nowUs);
    const stats: TrackStats = {
      member,
      track: track.id,
      kind: receiver instanceof AudioReceiver ? 'audio' : 'video',
      codec: track.codec,
      bitrate,
      rate,
      latency: receiver.latency,
      ...(receiver instanceof AudioReceiver ? soundOf(receiver) : pictureOf(receiver, limited)),
      hidden,
      transport: receiver.byRtp ? 'webrtc' : 'websocket',
      drops: { ...this.dropped.get(receiver) },
    };
    return stats;
  }

  private measure(receiver: AnyReceiver, nowUs: number): Measure {
    const count = receiver instanceof AudioReceiver ? packetsOf(receiver) : receiver.screen.painted;
    const before = this.measures.get(receiver);
    const span = nowUs - (before?.at ?? receiver.since);
    if (before && span < SPAN_US) return before;
    const perSecond = (diff: number): number => (span >= SPAN_US ? (diff * 1_000_000) / span : 0);
    const measure: Measure = {
      at: nowUs,
      bytes: receiver.bytes,
      count,
      bitrate: perSecond((receiver.bytes - (before?.bytes ?? 0)) * 8),
      rate: perSecond(count - (before?.count ?? 0)),
    };
    if (span >= SPAN_US) this.measures.set(receiver, measure);
    return measure;
  }
}

type Detail = Pick<TrackStats, 'jitter' | 'targetDelay' | 'delay' | 'concealed' | 'width' | 'height' | 'layer'>;

function packetsOf({ byRtp, line, sound }: AudioReceiver): number {
  return byRtp ? (line?.packets ?? 0) : (sound.last?.packets ?? 0);
}

function soundOf({ sound, byRtp, line }: AudioReceiver): Detail {
  if (byRtp && line) return { jitter: line.jitter, targetDelay: line.delay, delay: line.delay, concealed: line.concealed ?? 0 };
  const report = sound.last;
  return {
    jitter: (report?.jitter ?? 0) / 1000,
    targetDelay: (report?.target ?? 0) / 1000,
    delay: (report?.delay ?? 0) / 1000,
    concealed: sound.concealed,
  };
}

function pictureOf(receiver: VideoReceiver, limited: boolean): Detail {
  const { screen } = receiver;
  const layer = receiver.layer(limited);
  const { timing } = screen.playout;
  const { line } = receiver;
  const delay = screen.last && timing.known ? (screen.last.at - screen.last.us - timing.base) / 1000 : 0;
  const buffer = receiver.byRtp && line ? { jitter: line.jitter, targetDelay: line.delay, delay: line.delay } : undefined;
  const detail: Detail = {
    jitter: timing.jitter / 1000,
    targetDelay: timing.target / 1000,
    delay,
    ...buffer,
    concealed: 0,
    ...(layer && { layer }),
  };
  if (screen.width) {
    detail.width = screen.width;
    detail.height = screen.height;
  }
  return detail;
}
