import { afterEach, describe, expect, test, vi } from 'vitest';
import { fakeMedia, FakeFrame, frame, unclosed } from '../fake-media';
import { CaptureClock } from './capture-clock';
import { AudioEncode } from './encode-audio';
import { VideoEncode } from './encode-video';
import { RateController } from './rate';
import { Sending } from './sending';
import { Still } from './still';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const ignore = (): void => undefined;

function videoEncode(source: 'camera' | 'screen'): VideoEncode {
  const sink = { format: ignore, frame: ignore, encodings: () => [{ width: 640, height: 360, fps: 30, bitrate: 700_000 }], obstacle: () => undefined, gated: () => false, skipped: ignore, failed: ignore };
  return new VideoEncode(source, new CaptureClock(), sink);
}

function sending(): Sending {
  const link = { room: 0, rate: new RateController(), sendBinary: ignore };
  return new Sending({
    send: () => true,
    data: { waiting: false, run: ignore },
    objects: { waiting: false, take: () => undefined },
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

describe('a stream of frames', () => {
  /** A stream that gives a frame for each pull, when it is told to. */
  function stream(): { readable: ReadableStream<VideoFrame>; give: () => Promise<void>; cancelled: () => boolean; reading: () => boolean } {
    let give: ((frame: VideoFrame) => void) | undefined;
    let cancelled = false;
    const readable = new ReadableStream<VideoFrame>(
      {
        pull: (controller) => {
          give = (given) => controller.enqueue(given);
        },
        cancel: () => {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const next = async (): Promise<void> => {
      const to = give;
      give = undefined;
      to?.(frame<VideoFrame>(FakeFrame.all.length * 100_000));
      await new Promise((resolve) => setTimeout(resolve));
    };
    return { readable, give: next, cancelled: () => cancelled, reading: () => give !== undefined };
  }

  test('is read for the track that it was published for', async () => {
    fakeMedia('take');
    const all = sending();
    all.publish(7, 'camera', 'video', 'camera');
    const { readable, give, reading } = stream();
    all.frames(7, readable);
    await give();
    await give();
    expect(FakeFrame.all.length).toBe(2);
    expect(unclosed()).toBe(0);
    expect(reading()).toBe(true);
    all.close();
  });

  test('is cancelled behind the frame that is on its way, which is closed', async () => {
    fakeMedia('take');
    const all = sending();
    all.publish(7, 'camera', 'video', 'camera');
    const { readable, give, cancelled, reading } = stream();
    all.frames(7, readable);
    await give();
    all.unpublish('camera');
    await new Promise((resolve) => setTimeout(resolve));
    expect(cancelled()).toBe(false);
    await give();
    expect(cancelled()).toBe(true);
    expect(reading()).toBe(false);
    expect(unclosed()).toBe(0);
  });

  test.each([
    ['was unpublished before they came', (all: Sending) => all.unpublish('camera')],
    ['was published anew', (all: Sending) => {
      all.unpublish('camera');
      all.publish(8, 'camera', 'video', 'camera');
    }],
  ])('of a track that %s is not sent', async (_, change) => {
    fakeMedia('take');
    const all = sending();
    all.publish(7, 'camera', 'video', 'camera');
    change(all);
    const { readable, give, cancelled } = stream();
    all.frames(7, readable);
    await give();
    await give();
    expect(FakeFrame.all.length).toBe(1);
    expect(unclosed()).toBe(0);
    expect(cancelled()).toBe(true);
    all.close();
  });
});
