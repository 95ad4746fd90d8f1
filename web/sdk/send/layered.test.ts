import { describe, expect, test } from 'vitest';
import { Adapt } from './adapt';
import type { Place } from './adapt';
import type { Reading } from './budget';
import { layerCount, layerSizes } from './layers';

const VGA = { width: 640, height: 360 };
const HD = { width: 1_280, height: 720 };
const FREE: Reading = { capacity: 0, rate: 0, shown: 0, delay: 0, queueAge: 0, audio: 40_000, video: 600_000 };

function camera(captured: typeof VGA, layers: number, wanted: boolean[]): Adapt {
  const adapt = new Adapt();
  adapt.add('camera', 'camera', captured, layers);
  adapt.want('camera', wanted);
  return adapt;
}

const place = (adapt: Adapt): Place => adapt.place('camera')!;
const made = (adapt: Adapt): string[] => place(adapt).layers.map((layer) => (layer ? `${layer.encoding.height}@${layer.encoding.fps} ${Math.round(layer.aim / 1000)}` : '-'));

/** Lets time pass with a link that takes so much and is full where more is made than that. */
function over(adapt: Adapt, bitrate: number, from: number, ms: number): number {
  for (let now = from; now < from + ms; now += 100) {
    const video = place(adapt).layers.reduce((sum, layer) => sum + (layer?.aim ?? 0), 0);
    const full = video + FREE.audio > bitrate;
    // Key frames come in bursts, which show what the link takes.
    const rate = Math.min(2 * video + FREE.audio, bitrate);
    adapt.update({ ...FREE, video: Math.min(video, bitrate), rate, ...(full && { capacity: bitrate, queueAge: 150 }) }, now);
  }
  return from + ms;
}

describe('layers of a captured size', () => {
  test.each([
    [HD, 'camera', '320x180 640x360 1280x720'],
    [VGA, 'camera', '320x180 640x360'],
    [{ width: 360, height: 640 }, 'camera', '180x320 360x640'],
    [{ width: 320, height: 240 }, 'camera', '320x240'],
    [{ width: 3_840, height: 2_160 }, 'screen', '480x270 960x540 1920x1080'],
  ] as const)('%j of a %s', (captured, source, sizes) => {
    expect(layerSizes(captured, source, layerCount(captured, source)).map(({ width, height }) => `${width}x${height}`).join(' ')).toBe(sizes);
  });
});

describe('what is made', () => {
  test('is only what is wanted; small layers get fixed shares', () => {
    expect(made(camera(HD, 3, [false, false, true]))).toEqual(['-', '-', '720@30 1797']);
    expect(made(camera(HD, 3, [true, true, true]))).toEqual(['180@20 100', '360@20 250', '720@30 1797']);
    expect(made(camera(HD, 3, [true, false, false]))).toEqual(['180@20 100', '-', '-']);
    expect(made(camera(HD, 3, [false, false, false]))).toEqual(['-', '-', '-']);
    expect(place(camera(HD, 3, [false, false, false])).room).toEqual([true, true, true]);
  });

  test('the best one alone gets smaller as it ever did, and nobody changes over', () => {
    const adapt = camera(VGA, 2, [false, true]);
    over(adapt, 170_000, 0, 20_000);
    expect(made(adapt)).toMatchObject(['-', expect.stringMatching(/^180@/)]);
    expect(place(adapt).room).toEqual([true, true]);
  });

  test('where there is no room for the best one beside a small one, the small one is all there is, and gets all there is', () => {
    const adapt = camera(VGA, 2, [true, true]);
    over(adapt, 240_000, 0, 20_000);
    expect(place(adapt).room).toEqual([true, false]);
    expect(made(adapt)[1]).toBe('-');
    expect(place(adapt).layers[0]!.aim).toBeGreaterThan(110_000);
  });

  test('is less than others would take only where they would take more', () => {
    const adapt = camera(VGA, 2, [true, false]);
    expect(place(adapt).lowered).toBe(false);
    over(adapt, 300_000, 0, 3_000);
    expect(place(adapt).lowered).toBe(false);
    adapt.want('camera', [true, true]);
    expect(place(adapt).lowered).toBe(false);
    over(adapt, 300_000, 3_000, 5_000);
    expect(place(adapt).lowered).toBe(true);
    adapt.want('camera', [false, false]);
    expect(place(adapt).lowered).toBe(false);
  });

  test('a small layer that is wanted late takes its share from the best one', () => {
    const adapt = camera(VGA, 2, [false, true]);
    const now = over(adapt, 500_000, 0, 20_000);
    const before = place(adapt).layers[1]!.aim;
    adapt.want('camera', [true, true]);
    over(adapt, 500_000, now, 100);
    expect(place(adapt).layers[0]!.aim).toBe(100_000);
    expect(place(adapt).layers[1]!.aim).toBeLessThan(before - 80_000);
  });

  test('the best one comes back when the link does, and soon', () => {
    const adapt = camera(VGA, 2, [true, true]);
    const now = over(adapt, 240_000, 0, 20_000);
    over(adapt, 3_000_000, now, 20_000);
    expect(place(adapt).room).toEqual([true, true]);
    expect(place(adapt).step).toBe(0);
    expect(place(adapt).layers[1]!.aim).toBeGreaterThan(0.85 * 700_000);
  });

  test('all layers together never aim for more than there is', () => {
    for (const bitrate of [60_000, 100_000, 200_000, 400_000, 800_000, 1_600_000]) {
      for (let wanted = 0; wanted < 8; wanted++) {
        const adapt = camera(HD, 3, [0, 1, 2].map((i) => (wanted & (1 << i)) > 0));
        over(adapt, bitrate, 0, 20_000);
        const aim = place(adapt).layers.reduce((sum, layer) => sum + (layer?.aim ?? 0), 0);
        expect(aim, `${wanted} over ${bitrate}`).toBeLessThanOrEqual(adapt.target + 2);
      }
    }
  });

  test('what nobody watches takes nothing from a screen', () => {
    const adapt = camera(HD, 3, [false, false, false]);
    adapt.add('screen', 'screen', { width: 1_920, height: 1_080 }, 3);
    for (let now = 0; now < 500; now += 100) adapt.update({ ...FREE, capacity: 1_000_000, queueAge: 150 }, now);
    expect(adapt.place('screen')!.aim / adapt.target).toBeCloseTo(1);
    adapt.want('camera', [true, false, false]);
    expect(adapt.place('screen')!.aim / adapt.target).toBeCloseTo(0.8);
  });
});

test.each([
  [0.3, VGA, 2], [0.5, VGA, 2], [0.8, VGA, 2], [0.5, HD, 3], [0.8, HD, 3], [1.2, HD, 3],
])('at %f Mbit/s what is made settles, with at most 3 changes in 5 minutes', (mbit, captured, layers) => {
  const adapt = camera(captured, layers, Array.from({ length: layers }, () => true));
  let changes = 0;
  for (let now = 0; now < 300_000; now += 100) {
    const before = place(adapt).step;
    over(adapt, mbit * 1e6, now, 100);
    if (place(adapt).step !== before) changes++;
  }
  expect(changes).toBeLessThanOrEqual(3);
});
