import { afterEach, describe, expect, test, vi } from 'vitest';
import { fakeMedia, FakeFrame, frame, unclosed } from '../fake-media';
import { CaptureClock } from './capture-clock';
import { AudioEncode } from './encode-audio';
import { VideoEncode } from './encode-video';
import { Sending } from './sending';
import { Still } from './still';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const ignore = (): void => undefined;

function videoEncode(source: 'camera' | 'screen'): VideoEncode {
  const sink = { format: ignore, frame: ignore, ready: () => true, gated: () => false, skipped: ignore, failed: ignore };
  return new VideoEncode(source, new CaptureClock(), sink);
}

function sending(): Sending {
  const link = { pending: Infinity, flight: { rate: 0, rtt: 0 } };
  return new Sending({
    send: () => true,
    sendBinary: ignore,
    nextReq: () => 1,
    link: () => link as never,
    post: ignore,
    ownLevel: ignore,
    tracksChanged: ignore,
  });
}

describe('every frame is closed', () => {
  test('when the encoder takes it', () => {
    fakeMedia('take');
    videoEncode('camera').push(frame());
    expect(FakeFrame.all.length).toBe(2);
    expect(unclosed()).toBe(0);
  });

  test('when the encoder refuses it', () => {
    fakeMedia('refuse');
    const encode = videoEncode('camera');
    expect(() => encode.push(frame())).toThrow('refused');
    expect(FakeFrame.all.length).toBe(2);
    expect(unclosed()).toBe(0);
  });

  test('when the encoder refuses a still picture', () => {
    fakeMedia('refuse');
    vi.useFakeTimers();
    vi.spyOn(Still.prototype, 'at').mockImplementation((us) => frame<VideoFrame>(us));
    videoEncode('screen').forceKey();
    expect(() => vi.runAllTimers()).toThrow('refused');
    expect(FakeFrame.all.length).toBe(2);
    expect(unclosed()).toBe(0);
  });

  test('when the encoder refuses sound of more than two channels', () => {
    fakeMedia('refuse');
    const encode = new AudioEncode('screen-audio', new CaptureClock(), { format: ignore, frame: ignore, failed: ignore });
    expect(() => encode.push(frame(0, 6))).toThrow('refused');
    expect(FakeFrame.all.length).toBe(2);
    expect(unclosed()).toBe(0);
  });

  test('when there is no encoder', () => {
    fakeMedia('missing');
    const all = sending();
    all.publish(1, 'camera', 'video', 'camera');
    all.captured('camera', frame<VideoFrame>());
    expect(all.tracks()).toEqual([]);
    expect(unclosed()).toBe(0);
    all.close();
  });
});
