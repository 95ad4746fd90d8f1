import { expect, test } from 'vitest';
import { PageStopwatch, Timeline } from './timeline';

test('a position goes on with the watch, at its speed, and a change of speed does not move it', () => {
  const line = new Timeline();
  line.set(1_000, 50);
  expect(line.at(150)).toBe(1_100);
  line.setPace(2, 150);
  expect([line.at(150), line.at(250)]).toEqual([1_100, 1_300]);
  line.setPace(0.5, 250);
  expect([line.at(250), line.at(450)]).toEqual([1_300, 1_400]);
  expect(line.when(1_400)).toBe(450);
});

test('a watch counts the time during which it runs', async () => {
  let now = 10;
  const watch = new PageStopwatch(() => now);
  expect([watch.running, watch.now()]).toEqual([false, 0]);
  watch.start();
  now = 30;
  watch.start();
  expect([watch.running, watch.now()]).toEqual([true, 20]);
  await watch.stop();
  now = 100;
  expect([watch.running, watch.now()]).toEqual([false, 20]);
  watch.start();
  now = 101;
  expect(watch.now()).toBe(21);
});
