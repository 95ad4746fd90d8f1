// The PeerConnection of a page: receives, and hands pictures to the worker and sound to the speakers.

import { platformFrames } from '../capture';
import type { SoundOut } from '../sound-out';
import type { RtcLine, RtcToPage, RtcToWorker } from './bridge';
import { RtpClock } from './clock';

/** Publishers' cameras or screens, each with its sound, that can be received at once; the others stay on the WebSocket. */
const SEATS = 8;
const CODECS = /^(audio\/opus|video\/(vp8|vp9|h264|av1))$/i;

interface Line {
  clock: RtpClock;
  receiver: RTCRtpReceiver;
  stop: () => void;
}

/** Names of the codecs that a PeerConnection of this browser decodes; none where it cannot tell the times of pictures. */
export function decodableByRtc(): string[] {
  const able = 'RTCPeerConnection' in globalThis && 'requestVideoFrameCallback' in HTMLVideoElement.prototype;
  if (!able) return [];
  const names = (['audio', 'video'] as const).flatMap((kind) => carried(kind).map(({ mimeType }) => mimeType.replace(/^.*\//, '').toLowerCase()));
  return [...new Set(names)];
}

function carried(kind: 'audio' | 'video'): RTCRtpCodec[] {
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  return codecs.filter(({ mimeType, sdpFmtpLine = '' }) => CODECS.test(mimeType) && !/packetization-mode=0/.test(sdpFmtpLine));
}

export class Peer {
  private turn = 0;
  private pc: RTCPeerConnection | undefined;
  private readonly lines = new Map<string, Line>();

  constructor(
    private readonly post: (message: RtcToWorker, transfer?: Transferable[]) => void,
    private readonly sound: () => SoundOut,
  ) {}

  told(message: RtcToPage): void {
    if (message.is === 'rtc-sound') return this.sound().prefer(message.member, message.rtp);
    if (message.is === 'rtc-open') return void this.open(message.turn);
    if (message.turn !== this.turn) return;
    switch (message.is) {
      case 'rtc-answer':
        return void this.pc?.setRemoteDescription({ type: 'answer', sdp: byUdp(message.sdp) }).catch((error: unknown) => this.failed(message.turn, error));
      case 'rtc-line':
        return this.begin(message);
      case 'rtc-free':
        return this.free(message.mid);
      case 'rtc-count':
        return void this.count();
      case 'rtc-close':
        return this.close();
    }
  }

  close(): void {
    for (const mid of [...this.lines.keys()]) this.free(mid);
    this.pc?.close();
    this.pc = undefined;
  }

  private async open(turn: number): Promise<void> {
    this.close();
    this.turn = turn;
    try {
      const pc = new RTCPeerConnection();
      this.pc = pc;
      for (let i = 0; i < SEATS; i++) for (const kind of ['audio', 'video'] as const) receives(pc, kind);
      pc.onconnectionstatechange = () => {
        if (pc !== this.pc) return;
        if (pc.connectionState === 'connected') this.post({ do: 'rtc-up', turn });
        if (pc.connectionState === 'failed') this.post({ do: 'rtc-failed', turn });
      };
      await pc.setLocalDescription();
      if (pc === this.pc && pc.localDescription) this.post({ do: 'rtc-offer', turn, sdp: pc.localDescription.sdp });
    } catch (error) {
      this.failed(turn, error);
    }
  }

  private failed(turn: number, error: unknown): void {
    this.post({ do: 'rtc-failed', turn, text: error instanceof Error ? error.message : String(error) });
  }

  private begin({ mid, kind, member, rtp, us }: Extract<RtcToPage, { is: 'rtc-line' }>): void {
    this.free(mid);
    const receiver = this.pc?.getTransceivers().find((t) => t.mid === mid)?.receiver;
    if (!receiver) return;
    const clock = new RtpClock(kind, us, rtp);
    const stop = kind === 'audio' ? this.sound().stream(member, receiver.track) : this.pictures(mid, receiver.track, clock);
    this.lines.set(mid, { clock, receiver, stop });
  }

  private free(mid: string): void {
    this.lines.get(mid)?.stop();
    this.lines.delete(mid);
  }

  /** Hands on the track's frames, or, where the platform has no stream of them, what a video element would show, while this page is seen. */
  private pictures(mid: string, track: MediaStreamTrack, clock: RtpClock): () => void {
    const { turn } = this;
    const frames = 'metadata' in VideoFrame.prototype ? platformFrames(track) : undefined;
    if (frames) {
      this.post({ do: 'rtc-frames', turn, mid, frames: frames as ReadableStream<VideoFrame> }, [frames as unknown as Transferable]);
      return () => undefined;
    }
    const video = document.createElement('video');
    video.muted = true;
    video.playsInline = true;
    video.srcObject = new MediaStream([track]);
    void video.play().catch(() => undefined);
    let over = false;
    const next = (_: number, { rtpTimestamp }: VideoFrameCallbackMetadata): void => {
      if (over) return;
      video.requestVideoFrameCallback(next);
      if (rtpTimestamp === undefined || video.videoWidth === 0) return;
      const picture = new VideoFrame(video, { timestamp: clock.micros(rtpTimestamp) });
      this.post({ do: 'rtc-picture', turn, mid, picture }, [picture]);
    };
    video.requestVideoFrameCallback(next);
    return () => {
      over = true;
      video.srcObject = null;
    };
  }

  private async count(): Promise<void> {
    const { turn, pc } = this;
    const report = await pc?.getStats().catch(() => undefined);
    if (!report || turn !== this.turn) return;
    let packets = 0;
    let lost = 0;
    const lines: RtcLine[] = [];
    for (const entry of report.values() as Iterable<Inbound>) {
      if (entry.type !== 'inbound-rtp') continue;
      packets += entry.packetsReceived ?? 0;
      lost += Math.max(0, entry.packetsLost ?? 0);
      const line = this.lines.get(entry.mid ?? '');
      if (line) lines.push(lineOf(entry, line, this.sound().lagUs));
    }
    this.post({ do: 'rtc-counts', turn, packets, lost, lines });
  }
}

/** An answer without the relay's candidates of ICE-TCP: over TCP the WebSocket does better. */
function byUdp(sdp: string): string {
  return sdp.replace(/^a=candidate:.* tcptype .*\r?\n/gm, '');
}

function receives(pc: RTCPeerConnection, kind: 'audio' | 'video'): void {
  pc.addTransceiver(kind, { direction: 'recvonly' }).setCodecPreferences(carried(kind));
}

/** Of W3C webrtc-stats, RTCInboundRtpStreamStats. */
interface Inbound {
  type: string;
  mid?: string;
  bytesReceived?: number;
  packetsReceived?: number;
  packetsLost?: number;
  jitter?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  concealedSamples?: number;
  totalSamplesReceived?: number;
}

/** lagUs: from a track to the ear. */
function lineOf(entry: Inbound, { receiver, clock }: Line, lagUs: number): RtcLine {
  const line: RtcLine = {
    mid: entry.mid ?? '',
    bytes: entry.bytesReceived ?? 0,
    packets: entry.packetsReceived ?? 0,
    jitter: (entry.jitter ?? 0) * 1000,
    waited: (entry.jitterBufferDelay ?? 0) * 1000,
    emitted: entry.jitterBufferEmittedCount ?? 0,
    concealed: entry.concealedSamples ?? 0,
    samples: entry.totalSamplesReceived ?? 0,
  };
  const source = receiver.track.kind === 'audio' ? receiver.getSynchronizationSources()[0] : undefined;
  if (source && performance.timeOrigin + performance.now() - source.timestamp < FRESH_MS) {
    line.heard = { us: clock.micros(source.rtpTimestamp), localUs: source.timestamp * 1000 + lagUs, level: source.audioLevel ?? 0 };
  }
  return line;
}

/** A source that gave nothing for so long is not heard. */
const FRESH_MS = 400;
