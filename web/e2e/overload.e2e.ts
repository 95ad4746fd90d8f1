// A device that decodes or encodes too slowly for the large picture, which a codec that takes its time stands for.

import { expect } from 'vitest';
import type { RoomStats } from '../sdk';
import { e2e, type House } from './harness/house';
import { ahead, type Person } from './harness/person';
import { elapse, until } from './harness/wait';

const ROOM = 'kitchen';

/** Runs in the page's worker before everything else, from its source text: what is as tall as this takes so long a picture. */
function slowCodecs(kind: 'decode' | 'encode', tall: number, ms: number): void {
  if (kind === 'decode') {
    globalThis.VideoDecoder = class extends VideoDecoder {
      private held: EncodedVideoChunk[] = [];
      private slow = false;
      private busy = false;
      override get decodeQueueSize(): number {
        return super.decodeQueueSize + this.held.length;
      }
      override configure(config: VideoDecoderConfig): void {
        for (const chunk of this.held.splice(0)) super.decode(chunk);
        this.slow = (config.codedHeight ?? 0) >= tall;
        super.configure(config);
      }
      override decode(chunk: EncodedVideoChunk): void {
        if (!this.slow) return super.decode(chunk);
        this.held.push(chunk);
        this.work();
      }
      private work(): void {
        if (this.busy || this.held.length === 0) return;
        this.busy = true;
        setTimeout(() => {
          this.busy = false;
          const chunk = this.held.shift();
          if (chunk && this.state === 'configured') super.decode(chunk);
          this.ondequeue?.(new Event('dequeue'));
          this.work();
        }, ms);
      }
    };
    return;
  }
  globalThis.VideoEncoder = class extends VideoEncoder {
    private held: [VideoFrame, VideoEncoderEncodeOptions | undefined][] = [];
    private busy = false;
    override get encodeQueueSize(): number {
      return super.encodeQueueSize + this.held.length;
    }
    override encode(frame: VideoFrame, options?: VideoEncoderEncodeOptions): void {
      if (frame.codedHeight < tall) return super.encode(frame, options);
      this.held.push([frame.clone(), options]);
      this.work();
    }
    private work(): void {
      if (this.busy || this.held.length === 0) return;
      this.busy = true;
      setTimeout(() => {
        this.busy = false;
        const [frame, options] = this.held.shift()!;
        if (this.state === 'configured') super.encode(frame, options);
        frame.close();
        this.ondequeue?.(new Event('dequeue'));
        this.work();
      }, ms);
    }
  };
}

/** Has the page's workers run some source text before their own. It needs a page without a content policy. */
function beforeWorkers(text: string): void {
  const script = (source: string) => URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const first = script(text);
  window.Worker = class extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(script(`import ${JSON.stringify(first)}; import ${JSON.stringify(new URL(url, location.href))};`), { ...options, type: 'module' });
    }
  };
}

/** Two in a call, of whom one has a slow device. */
async function callWithSlow(house: House, who: 'ann' | 'bob', kind: 'decode' | 'encode', ms: number): Promise<Record<'ann' | 'bob', Person>> {
  const people = { ann: await house.person('ann', { bypassCSP: who === 'ann' }), bob: await house.person('bob', { bypassCSP: who === 'bob' }) };
  await people[who].context.addInitScript(beforeWorkers, `(${slowCodecs.toString()})(${JSON.stringify(kind)}, 300, ${ms});`);
  await Promise.all([people.ann.join(house.server.url, ROOM), people.bob.join(house.server.url, ROOM)]);
  await Promise.all([people.ann.meets(people.bob), people.bob.meets(people.ann)]);
  return people;
}

const stats = (person: Person): Promise<RoomStats> => person.page.evaluate(() => window.probe.stats());
const camera = async (person: Person) => (await stats(person)).uplink.video.find(({ track }) => track === 'camera')!;

e2e('who decodes too slowly is sent the small picture, and told why; the other stops to encode the large one', async ({ house }) => {
  const { ann, bob } = await callWithSlow(house, 'bob', 'decode', 70);
  await bob.tile('Ann').getByText('This device is slow: showing the small picture').waitFor({ timeout: 15_000 });
  await until('the large picture is no longer encoded', async () => {
    const made = (await camera(ann)).layers.filter(({ bitrate }) => bitrate > 0).map(({ height }) => height);
    if (made.join() !== '180') throw new Error(`encoded: ${made.join()}`);
    return true;
  });
  await bob.sees(ann);
  await ann.sees(bob);
});

e2e('who encodes too slowly skips pictures before they are encoded; the others see the newest', async ({ house }) => {
  const { ann, bob } = await callWithSlow(house, 'ann', 'encode', 100);
  await bob.sees(ann);
  const before = (await camera(ann)).layers.at(-1)!.frames;
  const start = performance.now();
  await elapse(4_000);
  const { layers, why } = await camera(ann);
  const rate = ((layers.at(-1)!.frames - before) * 1_000) / (performance.now() - start);
  expect(rate, 'pictures a second that are encoded, where ten can be').toBeGreaterThan(3);
  expect(rate).toBeLessThan(12);
  expect(why).toBe('device');
  // Twenty pictures a second that are not encoded would have added up to seconds.
  const seen = (await bob.stamp(bob.pictureOf(ann)))!;
  expect(ahead((await ann.stamp(ann.ownPicture))!, seen), 'pictures by which the other is behind').toBeLessThan(45);
});
