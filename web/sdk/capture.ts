// A MediaStreamTrack to frames for the worker: by MediaStreamTrackProcessor where there is one, else by
// a <video> element's frames, or an AudioWorklet's samples.

import type { ToWorker } from './bridge';
import tapUrl from './send/tap.worklet.ts?worker&url';
import { trustedScript } from './trusted';

type Send = (message: ToWorker, transfer: Transferable[]) => void;
/** Ends the capture; the track stays the caller's. */
export type StopCapture = () => void;

type ProcessorMaker = new (init: { track: MediaStreamTrack; maxBufferSize?: number }) => { readable: ReadableStream<VideoFrame | AudioData> };

function processorMaker(): ProcessorMaker | undefined {
  return (globalThis as { MediaStreamTrackProcessor?: ProcessorMaker }).MediaStreamTrackProcessor;
}

/** The platform's stream of frames; undefined where the platform has none. */
export function platformFrames(track: MediaStreamTrack): ReadableStream<VideoFrame | AudioData> | undefined {
  const Maker = processorMaker();
  return Maker && new Maker({ track }).readable;
}

/**
 * Captures by hand; pictures stop while the page is hidden. onEnd is called when the track ends by
 * itself, or cannot be captured.
 */
export function captureByHand(id: string, track: MediaStreamTrack, send: Send, onEnd: () => void): StopCapture {
  const stop = track.kind === 'video' ? captureVideo(id, track, send) : captureAudio(id, track, send, onEnd);
  track.addEventListener('ended', onEnd);
  return () => {
    track.removeEventListener('ended', onEnd);
    stop();
  };
}

function captureVideo(id: string, track: MediaStreamTrack, send: Send): StopCapture {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  void video.play().catch(() => undefined);
  let over = false;
  const next = (): void => {
    if (over) return;
    if (video.videoWidth > 0) {
      const frame = new VideoFrame(video, { timestamp: Math.round(performance.now() * 1000) });
      send({ do: 'captured', id, data: frame }, [frame]);
    }
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
  return () => {
    over = true;
    video.srcObject = null;
  };
}

function captureAudio(id: string, track: MediaStreamTrack, send: Send, onFail: () => void): StopCapture {
  const context = new AudioContext({ latencyHint: 'interactive' });
  let over = false;
  const start = async (): Promise<void> => {
    await context.audioWorklet.addModule(trustedScript(tapUrl));
    if (over) return;
    const node = new AudioWorkletNode(context, 'landline-tap', { numberOfOutputs: 0 });
    node.port.onmessage = (event: MessageEvent<{ us: number; pcm: Float32Array<ArrayBuffer>[] }>) => {
      const { us, pcm } = event.data;
      const planes = pcm.map((plane) => plane.buffer);
      send({ do: 'sound-captured', id, us, sampleRate: context.sampleRate, pcm }, planes);
    };
    context.createMediaStreamSource(new MediaStream([track])).connect(node);
    await context.resume();
  };
  start().catch(onFail);
  return () => {
    over = true;
    void context.close();
  };
}
