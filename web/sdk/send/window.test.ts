import { describe, expect, test } from 'vitest';
import { InFlight } from '../session/acks';
import { chunkSize, Uplink } from './uplink';
import { Window } from './window';

interface Result {
  /** Time of audio packets from their making to the far end, ms, sorted. */
  audio: number[];
  videoBytes: number;
}

/** An uplink of the given rate and delay with video that always wants more, and an audio packet every 20 ms. */
function simulate(bitsPerSecond: number, delayMs: number, seconds: number): Result {
  const flight = new InFlight();
  const window = new Window();
  const uplink = new Uplink();
  const camera = uplink.add('camera', 'video');
  const mic = uplink.add('mic', 'audio');
  camera.alias = 1;
  mic.alias = 2;
  const audio: number[] = [];
  const onWay: { at: number; size: number; made: number | undefined }[] = [];
  const acks: { at: number; bytes: number; time: number }[] = [];
  let free = 0;
  let received = 0;
  let videoBytes = 0;
  for (let now = 0; now < seconds * 1000; now++) {
    if (now % 33 === 0) camera.push({ data: new Uint8Array(20_000), key: true, config: false, timestamp: now }, now);
    if (now % 20 === 0) mic.push({ data: new Uint8Array(80), key: true, config: false, timestamp: now }, now);
    while (onWay[0] && onWay[0].at <= now) {
      const { size, made } = onWay.shift()!;
      received += size;
      if (made === undefined) videoBytes += size;
      else if (now > 3_000) audio.push(now - made);
    }
    if (now % 20 === 0) acks.push({ at: now + delayMs, bytes: received, time: now * 1000 });
    while (acks[0] && acks[0].at <= now) {
      flight.onAck(acks.shift()!, now);
      window.update(flight, uplink.waiting);
    }
    while (flight.bytes < window.limit + 16_384) {
      const message = uplink.next(now, chunkSize(flight.rate), flight.bytes < window.limit);
      if (!message) break;
      flight.onSent(message.length, false, now);
      free = Math.max(free, now) + (message.length * 8_000) / bitsPerSecond;
      const isAudio = message[3] === 2;
      const made = isAudio ? new DataView(message.buffer).getUint32(12) : undefined;
      onWay.push({ at: free + delayMs, size: message.length, made });
    }
  }
  return { audio: audio.sort((a, b) => a - b), videoBytes };
}

describe('audio does not wait behind video in the network', () => {
  test.each([
    [300_000, 20],
    [1_000_000, 5],
    [1_000_000, 80],
    [4_000_000, 20],
  ])('at %i bit/s and %i ms', (rate, delay) => {
    const { audio, videoBytes } = simulate(rate, delay, 20);
    expect(audio.length).toBeGreaterThan(700);
    expect(audio[Math.floor(audio.length * 0.95)]! - delay).toBeLessThan(200);
    expect((videoBytes * 8) / 20 / rate).toBeGreaterThan(0.6);
  });
});

test('a fast path keeps the whole window', () => {
  const window = new Window();
  for (let i = 0; i < 100; i++) window.update({ rate: 800_000, lastRtt: 60, leastRtt: 1 }, false);
  expect(window.limit).toBe(65_536);
});
