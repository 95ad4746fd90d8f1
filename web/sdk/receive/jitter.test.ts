import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AUDIO_JITTER, JitterTarget } from './jitter';

const PACKET_US = 20_000;

/** Feeds packets of 20 ms for some seconds; delay gives the delay of packet i in ms. Returns the target in ms every 500 ms. */
class Trace {
  readonly target = new JitterTarget(AUDIO_JITTER);
  private i = 0;
  private arrived = 0;

  run(seconds: number, delay: (i: number) => number): number[] {
    const trace: number[] = [];
    for (let n = 0; n < seconds * 50; n++, this.i++) {
      const media = this.i * PACKET_US;
      // TCP delivers in order: nothing overtakes.
      this.arrived = Math.max(this.arrived, media + delay(this.i) * 1000);
      this.target.observe(this.arrived, media);
      if (n % 25 === 24) trace.push(Math.round(this.target.target / 1000));
    }
    return trace;
  }
}

const calm = (i: number): number => 30 + (i % 3) * 5;
const rough = (i: number): number => 30 + (i % 10 === 0 ? 120 : 0);

describe('the target delay follows what is measured', () => {
  test('it starts at 60 ms, and settles at the floor on a calm path within 2 s', () => {
    const trace = new Trace();
    expect(trace.target.target).toBe(60_000);
    expect(trace.run(5, calm)).toEqual([60, 25, 25, 25, 25, 25, 25, 25, 25, 25]);
  });

  test('a step up is answered within 1 s, and covers the new jitter', () => {
    const trace = new Trace();
    trace.run(12, calm);
    expect(trace.run(4, rough)).toEqual([25, 123, 123, 123, 123, 123, 123, 123]);
  });

  test('a step down is believed after 6 s, when the rough windows are gone', () => {
    const trace = new Trace();
    trace.run(12, rough);
    const after = trace.run(12, calm);
    expect(after.slice(0, 10).every((t) => t === 123)).toBe(true);
    expect(after.slice(12).every((t) => t === 25)).toBe(true);
  });

  test('one stall of 800 ms does not raise it', () => {
    const trace = new Trace();
    trace.run(12, calm);
    const stall = (i: number): number => (i < 640 ? Math.max(calm(i), 800 - (i - 600) * 20) : calm(i));
    expect(Math.max(...trace.run(6, stall))).toBe(25);
  });

  test('what a stream begins with for 3 s is forgotten 2 s later', () => {
    const trace = new Trace();
    expect(trace.run(3, rough).at(-1)).toBe(123);
    expect(trace.run(4, calm)).toEqual([123, 123, 123, 25, 25, 25, 25, 25]);
  });

  test('nor does one of 2 s from which the path recovers slowly', () => {
    const trace = new Trace();
    trace.run(6, calm);
    // 2 s, then by and by less for 0.8 s more.
    const stall = (i: number): number => (i < 400 ? Math.max(calm(i), 2_000 - (i - 300) * 20) : i < 440 ? 330 - (i - 400) * 8 : calm(i));
    expect(Math.max(...trace.run(7, stall).slice(5))).toBe(25);
  });

  test('a stall in the first seconds does not raise it either', () => {
    const trace = new Trace();
    trace.run(2, calm);
    const stall = (i: number): number => (i < 140 ? Math.max(calm(i), 800 - (i - 100) * 20) : calm(i));
    expect(trace.run(6, stall).slice(4)).toEqual([25, 25, 25, 25, 25, 25, 25, 25]);
  });

  test('a stall every 2 s does: it is how the path is', () => {
    const trace = new Trace();
    trace.run(12, calm);
    const stalls = (i: number): number => Math.max(calm(i), 200 - (i % 100) * 20);
    expect(trace.run(12, stalls).at(-1)).toBeGreaterThanOrEqual(170);
  });

  test('a path that is 800 ms longer for good is taken as it is within 1.5 s', () => {
    const trace = new Trace();
    trace.run(12, calm);
    const before = trace.target.base;
    expect(trace.run(12, (i) => 800 + calm(i)).slice(0, 3)).toEqual([25, 25, 25]);
    expect(trace.target.base - before).toBeGreaterThanOrEqual(800_000);
  });

  test('a path that is 300 ms shorter for good does not keep the old delay as jitter', () => {
    const trace = new Trace();
    trace.run(12, (i) => 300 + calm(i));
    expect(trace.run(4, calm)).toEqual([313, 313, 25, 25, 25, 25, 25, 25]);
  });

  test('it never leaves its bounds', () => {
    const trace = new Trace();
    const wild = trace.run(20, (i) => (i % 7) * 400);
    expect(Math.max(...wild)).toBe(500);
  });

  test('a publisher clock that runs 200 ppm slow moves the base, not the target', () => {
    const trace = new Trace();
    const drift = (i: number): number => calm(i) + i * 0.004;
    const targets = trace.run(120, drift);
    expect(Math.max(...targets.slice(4))).toBe(25);
    expect(trace.target.base).toBeGreaterThan(30_000 + 20_000);
  });
});

/** docs/figures/jitter-target.csv: the target's response to a step up, a step down and a stall. Written anew where figures are collected. */
test('the recorded response to a step up, a step down and a stall is what the target does', () => {
  const trace = new Trace();
  const stall = (i: number): number => (i < 2440 ? Math.max(calm(i), 800 - (i - 2400) * 20) : calm(i));
  const parts: [string, number, (i: number) => number][] = [['calm', 12, calm], ['step up', 12, rough], ['step down', 24, calm], ['stall', 6, stall]];
  let rows = 'what,seconds,target_ms\n';
  let half = 0;
  for (const [what, seconds, delay] of parts) for (const ms of trace.run(seconds, delay)) rows += `${what},${++half / 2},${ms}\n`;
  const file = new URL('../../../docs/figures/jitter-target.csv', import.meta.url);
  if (process.env['LANDLINE_FIGURES']) writeFileSync(file, rows);
  expect(readFileSync(file, 'utf8')).toBe(rows);
});
