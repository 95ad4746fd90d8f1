// What a page plays of somebody whose microphone gives two tones: how loud it is, and from how long ago. The tones come apart by 2.5
// cycles a second, so that their phases tell the time since they were made, but for multiples of 400 ms: what is heard twice makes it
// longer, what is left out shorter.

import type { Page } from 'playwright-core';
import { percentile } from './figures';

/** The tones of the file, Hz, and how loud each is. */
export const TIMED_TONES = [{ hz: 1000, level: 0.1 }, { hz: 2002.5, level: 0.05 }] as const;
/** Between two looks, and so long is what is looked at, ms. */
const STEP_MS = 10;
const SPAN_MS = 20;
/** What changes within this time was not brought about bit by bit, as a player does it that changes its delay. */
const WITHIN_MS = 60;
const TURN_MS = 1000 / (TIMED_TONES[1].hz - 2 * TIMED_TONES[0].hz);

/** One look at SPAN_MS of sound. */
interface Look {
  /** Of the first tone, 0 to 1. */
  level: number;
  /** ms since it was made, but for a constant and multiples of TURN_MS. */
  age: number;
}

export interface Tone {
  /** The longest stretch under half of the usual level, ms. */
  faint: number;
  /** The most that was heard twice within 60 ms, and left out, ms. */
  twice: number;
  missing: number;
  seconds: number;
}

declare global {
  interface Window {
    tone: Look[] | undefined;
  }
}

/** Begins to listen to what a page plays; it needs a page without a content policy. */
export async function listen(page: Page): Promise<void> {
  const worklet = `
    class Tone extends AudioWorkletProcessor {
      step = Math.round(sampleRate * ${STEP_MS / 1000});
      parts = Array.from({ length: ${SPAN_MS / STEP_MS} }, () => [0, 0, 0, 0]);
      sums = [0, 0, 0, 0];
      n = 0;
      process([input]) {
        const samples = input[0];
        for (let i = 0; i < 128; i++) {
          const t = (currentFrame + i) / sampleRate;
          const x = samples ? samples[i] : 0;
          for (const [k, hz] of [${TIMED_TONES.map(({ hz }) => hz)}].entries()) {
            const phase = 2 * Math.PI * ((hz * t) % 1);
            this.sums[2 * k] += x * Math.sin(phase);
            this.sums[2 * k + 1] += x * Math.cos(phase);
          }
          if (++this.n % this.step === 0) this.look();
        }
        return true;
      }
      look() {
        this.parts.push(this.sums);
        this.parts.shift();
        this.sums = [0, 0, 0, 0];
        const [a, b, c, d] = [0, 1, 2, 3].map((k) => this.parts.reduce((sum, part) => sum + part[k], 0));
        const apart = 2 * Math.atan2(b, a) - Math.atan2(d, c);
        const turns = apart / (2 * Math.PI);
        this.port.postMessage({ level: (2 * Math.hypot(a, b)) / (this.step * this.parts.length), age: (turns - Math.floor(turns)) * ${TURN_MS} });
      }
    }
    registerProcessor('tone', Tone);`;
  await page.evaluate(async (source) => {
    const { context, node } = window.probe.outputs.findLast(({ context }) => context.state === 'running')!;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    const ear = new AudioWorkletNode(context, 'tone', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    const looks: Look[] = (window.tone = []);
    ear.port.onmessage = ({ data }: MessageEvent<Look>) => void looks.push(data);
    node.connect(ear);
  }, worklet);
}

/** What was heard since the last time. */
export async function heard(page: Page): Promise<Tone> {
  const looks = await page.evaluate(() => window.tone!.splice(0));
  const usual = percentile(looks.map(({ level }) => level), 0.5);
  let faint = 0;
  let run = 0;
  for (const { level } of looks) {
    run = level < usual / 2 ? run + 1 : 0;
    faint = Math.max(faint, run);
  }
  // Looks that are faint tell no time.
  const clear = looks.map(({ level, age }, i) => ({ i, age, level })).filter(({ level }) => level > (usual * 3) / 4);
  let [twice, missing] = [0, 0];
  for (const [i, late] of clear.entries()) {
    for (let j = i - 1; j >= 0 && (late.i - clear[j]!.i) * STEP_MS <= WITHIN_MS; j--) {
      const by = around(late.age - clear[j]!.age);
      twice = Math.max(twice, by);
      missing = Math.max(missing, -by);
    }
  }
  return { faint: faint * STEP_MS, twice: Math.round(twice), missing: Math.round(missing), seconds: (looks.length * STEP_MS) / 1000 };
}

/** The difference of two ages that is nearest to 0. */
function around(ms: number): number {
  return ms - TURN_MS * Math.round(ms / TURN_MS);
}
