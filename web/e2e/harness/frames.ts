// Every picture that a page shows of somebody, by its stamp, and how loud the page was: read in the page itself, so that what happens
// between two looks of a test is seen as well.

import type { Locator, Page } from 'playwright-core';
import type { Picture } from './probe';

export interface Watched {
  /** Longest time between two new pictures, ms. */
  longest: number;
  /** Pictures that were one flat colour, or bore no stamp. */
  blank: number;
  /** Pictures of which the stamp is torn: it is neither, or somebody else's than the first. */
  torn: number;
  /** Times that the stamp went back. */
  back: number;
  pictures: number;
  /** Longest time in which less than half of the usual sound was heard, ms. */
  silent: number;
  /** Longest time between two looks, ms: what was seen is not finer than that. */
  asleep: number;
}

declare global {
  interface Window {
    watched: (() => Watched) | undefined;
  }
}

/** Begins to watch; what was seen is told, and forgotten, by watched(). */
export async function watch(picture: Locator): Promise<void> {
  await picture.evaluate((element) => {
    const HALF = 0.03;
    const LOOP = 300;
    const output = window.probe.outputs.findLast(({ context }) => context.state === 'running')!;
    const analyser = new AnalyserNode(output.context, { fftSize: 1024 });
    output.node.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let seen: Watched = { longest: 0, blank: 0, torn: 0, back: 0, pictures: 0, silent: 0, asleep: 0 };
    let whose: number | undefined;
    let last: { frame: number; at: number } | undefined;
    let loudAt = performance.now();
    let lookedAt = loudAt;
    const frame = (): void => {
      requestAnimationFrame(frame);
      const now = performance.now();
      seen.asleep = Math.max(seen.asleep, now - lookedAt);
      lookedAt = now;
      analyser.getFloatTimeDomainData(samples);
      if (Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length) > HALF) loudAt = now;
      seen.silent = Math.max(seen.silent, now - loudAt);
      const stamp = window.probe.stamp(element as Picture);
      if (!stamp) {
        if (window.probe.look(element as Picture) === 0) seen.blank++;
        else seen.torn++;
        return;
      }
      if (stamp.id !== (whose ??= stamp.id) || stamp.frame >= LOOP) return void seen.torn++;
      last ??= { frame: stamp.frame, at: now };
      seen.longest = Math.max(seen.longest, now - last.at);
      const by = (stamp.frame - last.frame + LOOP) % LOOP;
      if (by === 0) return;
      if (by > LOOP / 2) seen.back++;
      seen.pictures++;
      last = { frame: stamp.frame, at: now };
    };
    frame();
    window.watched = () => {
      const told = seen;
      seen = { longest: 0, blank: 0, torn: 0, back: 0, pictures: 0, silent: 0, asleep: 0 };
      return told;
    };
  });
}

export async function watched(page: Page): Promise<Watched> {
  return page.evaluate(() => window.watched!());
}
