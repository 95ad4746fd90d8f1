import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeMedia, FakeFrame, frame, unclosed } from '../fake-media';
import { Frames } from './frames';

beforeEach(() => {
  vi.useFakeTimers();
  fakeMedia('take');
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Pictures as Chromium gives them: none is buffered, and each pull is answered with the next. */
function pictures(every: number) {
  let at = 0;
  let ended = false;
  const source = {
    pull: (controller: ReadableStreamDefaultController<VideoFrame>) => {
      const rtp = ++at * 3_000;
      const picture = () => Object.assign(frame<VideoFrame>(rtp), { metadata: () => ({ rtpTimestamp: rtp }) });
      // Under which the stream ends it belongs to nobody.
      setTimeout(() => (ended ? picture() : controller.enqueue(picture())), every);
    },
    cancel: () => void (ended = true),
  };
  return { stream: new ReadableStream<VideoFrame>(source, { highWaterMark: 0 }), ended: () => ended };
}

test('pictures are given with times of the publisher until it is stopped, and each is closed', async () => {
  const { stream, ended } = pictures(33);
  const taken: number[] = [];
  const frames = new Frames(stream, { rtp: 3_000, us: 1_000_000 }, (picture) => {
    taken.push(picture.timestamp);
    picture.close();
  });
  await vi.advanceTimersByTimeAsync(80);
  frames.stop();
  await vi.advanceTimersByTimeAsync(200);
  expect(taken).toEqual([1_000_000, 1_033_333]);
  expect(ended()).toBe(true);
  expect(FakeFrame.all.length).toBe(5); // two of each that was given, and one on its way
  expect(unclosed()).toBe(0);
});
