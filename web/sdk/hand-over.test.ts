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

test('a camera that gives no picture does not hold it up for ever', async () => {
  const done = holdFrame(camera(1e6).readable, camera(1e6).readable);
  await vi.advanceTimersByTimeAsync(1_000);
  await done;
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
