import { afterEach, expect, test, vi } from 'vitest';
import { fakeMedia, frame, unclosed } from '../fake-media';
import { nowUs } from '../session/clock';
import { Screen } from './screen';

afterEach(() => vi.unstubAllGlobals());

test('a picture that is older than what is shown is closed, but where the clock was set back', () => {
  fakeMedia('take');
  const screen = new Screen(() => undefined);
  screen.showNow(frame<VideoFrame>(10_000_000));
  screen.showNow(frame<VideoFrame>(9_900_000));
  screen.push(frame<VideoFrame>(10_000_000));
  expect(screen.painted).toBe(1);
  screen.showNow(frame<VideoFrame>(1_000_000));
  expect(screen.painted).toBe(2);
  screen.close();
  expect(unclosed()).toBe(0);
});

test('where the picture stood for long, the next one is painted at once; those behind it wait for their time', () => {
  fakeMedia('take');
  vi.useFakeTimers();
  const screen = new Screen(() => undefined);
  screen.push(frame<VideoFrame>(1_000_000));
  expect(screen.painted).toBe(1);
  screen.push(frame<VideoFrame>(1_033_000));
  expect(screen.painted).toBe(1);
  vi.advanceTimersByTime(100);
  expect(screen.painted).toBe(2);
  vi.advanceTimersByTime(600);
  screen.push(frame<VideoFrame>(1_700_000));
  expect(screen.painted).toBe(3);
  screen.close();
  vi.useRealTimers();
});

test('a picture that cannot be drawn is closed with the next one', () => {
  fakeMedia('take');
  let broken = true;
  const drawImage = (): void => {
    if (broken) throw new Error('cannot draw');
  };
  const screen = new Screen(() => undefined);
  screen.canvases.add({ width: 0, height: 0, getContext: () => ({ drawImage }) } as unknown as OffscreenCanvas);
  expect(() => screen.showNow(frame<VideoFrame>())).toThrow('cannot draw');
  broken = false;
  screen.showNow(frame<VideoFrame>(33_000));
  expect(unclosed()).toBe(1);
  screen.close();
  expect(unclosed()).toBe(0);
});

test('pictures of two paths: the newest of either is shown, and none goes back', () => {
  fakeMedia('take');
  vi.useFakeTimers();
  const began = nowUs();
  const screen = new Screen(() => ({ mediaUs: 1_000_000 + nowUs() - began, localUs: nowUs() }));
  const shows = (painted: number, us: number): void => expect([screen.painted, screen.last?.us]).toEqual([painted, us]);
  screen.push(frame<VideoFrame>(1_000_000));
  screen.fromRtp(frame<VideoFrame>(1_033_000)); // not yet
  screen.turnTo(true);
  screen.fromRtp(frame<VideoFrame>(966_000));
  shows(1, 1_000_000);
  screen.fromRtp(frame<VideoFrame>(4_000_000)); // three seconds before it was taken
  shows(1, 1_000_000);
  screen.push(frame<VideoFrame>(1_066_000)); // RTP does not come: the WebSocket goes on
  vi.advanceTimersByTime(40);
  shows(2, 1_066_000);
  screen.push(frame<VideoFrame>(1_133_000));
  screen.push(frame<VideoFrame>(1_200_000));
  screen.fromRtp(frame<VideoFrame>(1_166_000));
  shows(3, 1_166_000);
  vi.advanceTimersByTime(200); // of the two that waited the first is old now
  shows(4, 1_200_000);
  screen.turnTo(false);
  screen.fromRtp(frame<VideoFrame>(1_233_000));
  screen.showNow(frame<VideoFrame>(1_200_000));
  screen.fromRtp(frame<VideoFrame>(1_266_000));
  shows(6, 1_266_000);
  screen.showNow(frame<VideoFrame>(1_300_000));
  screen.fromRtp(frame<VideoFrame>(1_333_000));
  expect(screen.painted).toBe(7);
  screen.close();
  vi.useRealTimers();
  expect(unclosed()).toBe(0);
});
