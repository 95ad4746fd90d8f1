import { describe, expect, test } from 'vitest';
import { Player, SAMPLE_RATE } from './player';

const PACKET = 960;
const PACKET_US = 20_000;
const QUANTUM = 128;
const QUANTUM_US = (QUANTUM * 1_000_000) / SAMPLE_RATE;
const TONE = 440;

function tone(us: number): Float32Array {
  const start = Math.round((us * SAMPLE_RATE) / 1_000_000);
  return Float32Array.from({ length: PACKET }, (_, i) => 0.5 * Math.sin((2 * Math.PI * TONE * (start + i)) / SAMPLE_RATE));
}

/** Runs a player against packets that arrive with the given delay (ms; undefined: never). */
class Bench {
  readonly player = new Player();
  readonly heard: number[] = [];
  private now = 0;
  private sent = 0;
  private onWay: { at: number; us: number }[] = [];

  run(seconds: number, delay: (i: number) => number | undefined, drift = 1): void {
    const end = this.now + seconds * 1_000_000;
    while (this.now < end) {
      while (this.sent * PACKET_US * drift <= this.now) {
        const ms = delay(this.sent);
        const us = this.sent * PACKET_US;
        const before = this.onWay.at(-1)?.at ?? 0;
        if (ms !== undefined) this.onWay.push({ at: Math.max(before, us * drift + ms * 1000), us });
        this.sent++;
      }
      while (this.onWay[0] && this.onWay[0].at <= this.now) {
        const { us } = this.onWay.shift()!;
        this.player.push(us, [tone(us)], this.now);
      }
      const out = new Float32Array(QUANTUM);
      this.player.pull([out], this.now);
      this.heard.push(...out);
      this.now += QUANTUM_US;
    }
  }

  /** What is played now is this old, ms: from timestamp to output. */
  get age(): number {
    const { mediaUs, atUs } = this.player.report(this.now);
    return mediaUs === undefined ? NaN : (atUs - mediaUs) / 1000;
  }

  get concealed(): number {
    return this.player.report(this.now).concealed;
  }

  /** Largest step between neighbouring samples of the last seconds: a click is a step that the tone does not have. */
  steepest(seconds: number): number {
    const tail = this.heard.slice(-seconds * SAMPLE_RATE);
    return tail.reduce((most, x, i) => (i ? Math.max(most, Math.abs(x - tail[i - 1]!)) : 0), 0);
  }
}

const TONE_STEP = (0.5 * 2 * Math.PI * TONE) / SAMPLE_RATE;

describe('a steady stream', () => {
  test('starts by 100 ms, comes down to the floor, and plays without a gap or a click', () => {
    const bench = new Bench();
    bench.run(0.15, () => 20);
    expect(bench.age).toBeGreaterThan(60);
    bench.run(5, () => 20);
    expect(bench.age).toBeGreaterThan(20 + 15);
    expect(bench.age).toBeLessThan(20 + 40);
    expect(bench.concealed).toBe(0);
    expect(bench.steepest(1)).toBeLessThan(TONE_STEP * 1.1);
  });

  test.each([
    ['fast', 0.999],
    ['slow', 1.001],
  ])('with a publisher clock 0.1 % too %s, the delay does not creep', (_, drift) => {
    const bench = new Bench();
    bench.run(10, () => 20, drift);
    const before = bench.player.report(bench['now']).delay;
    bench.run(60, () => 20, drift);
    const after = bench.player.report(bench['now']).delay;
    expect(Math.abs(after - before) / 1000).toBeLessThan(15);
    expect(bench.concealed).toBeLessThan(SAMPLE_RATE * 0.02);
  });
});

describe('a path that changes', () => {
  test('more jitter: after the first gaps it plays through, with a longer delay', () => {
    const bench = new Bench();
    bench.run(12, () => 20);
    const rough = (i: number): number => 20 + (i % 6 === 0 ? 100 : 0);
    bench.run(4, rough);
    const gaps = bench.concealed;
    bench.run(4, rough);
    expect(bench.concealed).toBe(gaps);
    expect(bench.age).toBeGreaterThan(110);
  });

  test('less jitter: the delay comes back down without a click', () => {
    const bench = new Bench();
    bench.run(12, (i) => 20 + (i % 6 === 0 ? 100 : 0));
    bench.run(14, () => 20);
    expect(bench.age).toBeLessThan(60);
    expect(bench.steepest(14)).toBeLessThan(TONE_STEP * 1.6);
  });

  test('a stall of 1 s: silence, then live again at once, not a second late', () => {
    const bench = new Bench();
    bench.run(12, () => 20);
    bench.run(1.4, (i) => (i < 650 ? Math.max(20, 1_000 - (i - 600) * 20) : 20));
    expect(bench.age).toBeLessThan(20 + 320);
    bench.run(3, () => 20);
    expect(bench.age).toBeLessThan(20 + 60);
  });
});

test('a path that is 1 s longer for good: it goes on playing, if late', () => {
  const bench = new Bench();
  bench.run(12, () => 20);
  bench.run(6, () => 1_020);
  const gaps = bench.concealed;
  bench.run(3, () => 1_020);
  expect(bench.concealed).toBe(gaps);
  expect(bench.age).toBeLessThan(1_020 + 60);
});

test('sound of another path that is later is met, without a gap or a click, and left again; how late it may be is bounded', () => {
  const bench = new Bench();
  bench.run(12, () => 20);
  const before = bench.age;
  bench.player.meet(130_000);
  bench.run(3, () => 20);
  expect(Math.abs(bench.age - 130)).toBeLessThan(15);
  bench.player.meet(undefined);
  bench.run(3, () => 20);
  expect(Math.abs(bench.age - before)).toBeLessThan(15);
  bench.player.meet(0);
  bench.run(1, () => 20);
  expect(Math.abs(bench.age - before)).toBeLessThan(15);
  expect(bench.concealed).toBe(0);
  expect(bench.steepest(7)).toBeLessThan(TONE_STEP * 1.6);
  bench.player.meet(5_000_000);
  bench.run(3, () => 20);
  expect(bench.age).toBeLessThan(400);
});

describe('holes', () => {
  test('a lost packet is concealed, and the delay stays', () => {
    const bench = new Bench();
    bench.run(5, () => 20);
    const before = bench.age;
    bench.run(1, (i) => (i === 270 ? undefined : 20));
    expect(bench.concealed).toBeGreaterThan(0);
    expect(bench.concealed).toBeLessThan(SAMPLE_RATE * 0.03);
    expect(Math.abs(bench.age - before)).toBeLessThan(15);
  });

  test('a muted speaker is silent, is not counted as concealed, and comes back on time', () => {
    const bench = new Bench();
    bench.run(5, () => 20);
    bench.run(20, () => undefined);
    const counted = bench.concealed;
    expect(counted).toBeLessThan(SAMPLE_RATE * 0.6);
    expect(Math.max(...bench.heard.slice(-SAMPLE_RATE))).toBe(0);
    bench.run(2, () => 20);
    expect(bench.concealed).toBe(counted);
    expect(bench.age).toBeLessThan(90);
  });

  test('a flood of packets is bounded', () => {
    const player = new Player();
    for (let i = 0; i < 5_000; i++) player.push(i * PACKET_US, [tone(0)], 0);
    expect(player['queue'].length).toBeLessThanOrEqual(100);
  });
});
