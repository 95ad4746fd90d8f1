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
function camera(): { readable: ReadableStream<VideoFrame>; pulls: () => number } {
  let pulls = 0;
  const readable = new ReadableStream<VideoFrame>(
    {
      pull: (controller) => {
        const us = ++pulls * 33_000;
        setTimeout(() => controller.enqueue(frame<VideoFrame>(us)), 33);
      },
    },
    { highWaterMark: 0 },
  );
  return { readable, pulls: () => pulls };
}

async function held(): Promise<ReturnType<typeof camera>> {
  const it = camera();
  const done = holdFrame(it.readable);
  await vi.advanceTimersByTimeAsync(200);
  await done;
  return it;
}

test('a stream that holds a frame is unlocked, and gives it without asking its source', async () => {
  const { readable, pulls } = await held();
  expect(readable.locked).toBe(false);
  const { value } = await readable.getReader().read();
  expect(value?.timestamp).toBe(33_000);
  await vi.advanceTimersByTimeAsync(200);
  expect(pulls()).toBe(1);
});

test('a stream that ends meanwhile is let through', async () => {
  const readable = new ReadableStream<VideoFrame>({ start: (controller) => controller.close() }, { highWaterMark: 0 });
  const done = holdFrame(readable);
  await vi.advanceTimersByTimeAsync(200);
  await done;
  expect(readable.locked).toBe(false);
});

test('a stream that nobody wants any more is ended, and its frame closed', async () => {
  const { readable, pulls } = await held();
  await dispose(readable);
  expect(FakeFrame.all.length).toBe(1);
  expect(unclosed()).toBe(0);
  await vi.advanceTimersByTimeAsync(200);
  expect(pulls()).toBe(1);
});
