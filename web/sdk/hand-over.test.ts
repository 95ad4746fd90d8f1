import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeMedia, FakeFrame, frame, unclosed } from './fake-media';
import { dispose, holdFrame } from './hand-over';

beforeEach(() => {
  vi.useFakeTimers();
  fakeMedia('take');
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A camera's stream as Chromium makes it: it buffers nothing, and answers a pull with the next frame. */
function camera(every = 33): { readable: ReadableStream<VideoFrame>; pulls: () => number } {
  let pulls = 0;
  const readable = new ReadableStream<VideoFrame>(
    {
      pull: (controller) => {
        const us = ++pulls * 33_000;
        setTimeout(() => controller.enqueue(frame<VideoFrame>(us)), every);
      },
    },
    { highWaterMark: 0 },
  );
  return { readable, pulls: () => pulls };
}

async function held(): Promise<ReturnType<typeof camera>> {
  const it = camera();
  const done = holdFrame(it.readable, camera().readable);
  await vi.advanceTimersByTimeAsync(200);
  await done;
  return it;
}

test('it is transferred once it holds a picture, however late that comes', async () => {
  const it = camera(300);
  let done = false;
  void holdFrame(it.readable, camera(300).readable).then(() => (done = true));
  await vi.advanceTimersByTimeAsync(299);
  expect(done).toBe(false);
  await vi.advanceTimersByTimeAsync(350);
  expect(done).toBe(true);
  await dispose(it.readable);
  expect(FakeFrame.all.length).toBe(3);
  expect(unclosed()).toBe(0);
});

test('however slow a camera begins, no stream is given away or ended under a picture that is on its way', async () => {
  const it = camera(1_900);
  let done = false;
  void holdFrame(it.readable, camera(1_900).readable).then(() => (done = true));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(done).toBe(false);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(done).toBe(true);
  await dispose(it.readable);
  expect(FakeFrame.all.length).toBe(3);
  expect(unclosed()).toBe(0);
});

test('a camera that never gives a picture holds it up until its track ends', async () => {
  const end: (() => void)[] = [];
  const silent = () => new ReadableStream<VideoFrame>({ start: (controller) => void end.push(() => controller.close()) }, { highWaterMark: 0 });
  const readable = silent();
  let done = false;
  void holdFrame(readable, silent()).then(() => (done = true));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(done).toBe(false);
  for (const over of end) over();
  await vi.advanceTimersByTimeAsync(1);
  expect(done).toBe(true);
  await dispose(readable);
});

test('a stream that holds a frame is unlocked, and gives it without asking its source', async () => {
  const { readable, pulls } = await held();
  expect(readable.locked).toBe(false);
  const { value } = await readable.getReader().read();
  expect(value?.timestamp).toBe(33_000);
  await vi.advanceTimersByTimeAsync(200);
  expect(pulls()).toBe(1);
});

test('a stream that ends meanwhile is let through', async () => {
  const ended = () => new ReadableStream<VideoFrame>({ start: (controller) => controller.close() }, { highWaterMark: 0 });
  const readable = ended();
  const done = holdFrame(readable, ended());
  await vi.advanceTimersByTimeAsync(200);
  await done;
  expect(readable.locked).toBe(false);
});

test('a stream that nobody wants any more is ended, and its frame closed', async () => {
  const { readable, pulls } = await held();
  await dispose(readable);
  expect(FakeFrame.all.length).toBe(3); // two of them the witness's
  expect(unclosed()).toBe(0);
  await vi.advanceTimersByTimeAsync(200);
  expect(pulls()).toBe(1);
});
