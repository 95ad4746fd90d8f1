import { expect, test } from 'vitest';
import type { Link } from '../session/link';
import { parseBinary } from '../wire/wire';
import { Pump } from './pump';
import { RateController } from './rate';
import { Uplink } from './uplink';

test('sound goes first, then data, then pictures, each as far as there is room', () => {
  const sent: string[] = [];
  const rate = new RateController();
  const link = {
    room: 3_000,
    rate,
    sendBinary(data: Uint8Array) {
      const { alias } = parseBinary(data) as { alias: number };
      sent.push(alias === 1 ? 'sound' : 'picture');
      this.room -= data.length;
    },
  };
  const data = {
    waiting: true,
    run(to: Link, bytes: number) {
      // The link was never seen full: how little was sent on it is no reason to send little.
      expect(bytes).toBe(4_096);
      if (to.room <= 0 || !data.waiting) return;
      data.waiting = false;
      sent.push('data');
    },
  };
  const uplink = new Uplink();
  const frame = (bytes: number) => ({ data: new Uint8Array(bytes), key: true, config: false, timestamp: 0 });
  const camera = uplink.add('camera', 'video');
  const mic = uplink.add('mic', 'audio');
  [mic.alias, camera.alias] = [1, 2];
  camera.push(frame(9_000), performance.now());
  mic.push(frame(100), performance.now());
  mic.push(frame(100), performance.now());
  const pump = new Pump(uplink, { data, objects: { waiting: false, take: () => undefined }, link: () => link as unknown as Link, send: () => true });
  pump.run();
  expect(sent).toEqual(['sound', 'sound', 'data', 'picture']);
  data.waiting = true;
  mic.push(frame(100), performance.now());
  pump.run();
  expect(sent.length).toBe(4);
  link.room = 100;
  pump.run();
  expect(sent.slice(4)).toEqual(['sound']);
  pump.stop();
});

test('sound that has waited long behind pictures goes over a full window where it is in time', () => {
  const sent: number[] = [];
  let ahead: number | undefined = 100_000;
  const rate = {
    sent: 0,
    acked: 0,
    rate: 64_000,
    capacity: () => 64_000,
    ahead: () => ahead,
    ackEvery: () => 100_000,
    wait: () => undefined,
  };
  const link = {
    room: 1_000,
    rate,
    sendBinary(data: Uint8Array) {
      const { alias } = parseBinary(data) as { alias: number };
      sent.push(alias);
      this.room -= data.length;
      rate.sent += data.length;
    },
  };
  const uplink = new Uplink();
  const frame = (bytes: number) => ({ data: new Uint8Array(bytes), key: true, config: false, timestamp: 0 });
  const camera = uplink.add('camera', 'video');
  const mic = uplink.add('mic', 'audio');
  [mic.alias, camera.alias] = [1, 2];
  const none = { waiting: false, run: () => undefined, take: () => undefined };
  const pump = new Pump(uplink, { data: none, objects: none, link: () => link as unknown as Link, send: () => true });
  const after = (waited: number): number => {
    mic.push(frame(100), performance.now() - waited);
    const before = sent.length;
    pump.run();
    expect(sent.slice(before).every((alias) => alias === 1)).toBe(true);
    if (sent.length === before) uplink.nextSound(4_096);
    return sent.length - before;
  };
  camera.push(frame(9_000), performance.now());
  pump.run();
  expect(sent).toEqual([2]);
  expect(after(100)).toBe(0); // there is time yet
  expect(after(180)).toBe(1);
  expect(after(220)).toBe(0); // too late by then
  ahead = undefined;
  expect(after(180)).toBe(0);
  ahead = 0;
  rate.acked = rate.sent; // no picture is before it
  expect(after(180)).toBe(0);
  pump.stop();
});
