import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Link } from '../session/link';
import { parseBinary } from '../wire/wire';
import { Bulk } from './bulk';
import type { BulkLink } from './bulk';
import { Pump } from './pump';
import { Uplink } from './uplink';

/** What is known of a link, and what went over it. Every message takes its room. */
class FakeLink {
  room = 1e6;
  capacityNow = 0;
  readonly sent: { what: 'sound' | 'picture' | 'object'; size: number }[] = [];
  waits = 0;
  readonly rate = {
    rate: 0, rtt: 0, inFlight: 0, sent: 0, acked: 0, delay: 0,
    capacity: () => this.capacityNow,
    ackEvery: () => 100_000,
    ahead: () => undefined,
    wait: () => void this.waits++,
  };

  sendBinary(data: Uint8Array): void {
    const message = parseBinary(data);
    const what = message.kind === 'object' ? 'object' : message.kind === 'chunk' && message.alias === 1 ? 'sound' : 'picture';
    this.sent.push({ what, size: data.length });
    this.room -= data.length;
    this.rate.sent += data.length;
    this.rate.inFlight += data.length;
  }

  of(what: string): number[] {
    return this.sent.flatMap((m) => (m.what === what ? [m.size] : []));
  }
}

/** So many bytes of objects, in pieces as they are asked for. */
class FakeObjects {
  constructor(public left: number) {}

  get waiting(): boolean {
    return this.left > 0;
  }

  take(most: number): Uint8Array | undefined {
    if (this.left <= 0) return undefined;
    const data = new Uint8Array(Math.min(most, this.left, 16_400));
    data.set([0x15, 0, 0, 1, 0, 0, 0, 1]);
    this.left -= data.length;
    return data;
  }
}

let link: FakeLink;
let objects: FakeObjects;

beforeEach(() => {
  link = new FakeLink();
  objects = new FakeObjects(1e6);
});

/** What is in flight comes through, and so much before. */
const through = (bytes: number): void => void Object.assign(link.rate, { inFlight: 0, acked: link.rate.acked + bytes });
const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);

describe('how much goes', () => {
  let bulk: Bulk;
  const drain = (): boolean => bulk.drain(link as unknown as BulkLink);
  beforeEach(() => void (bulk = new Bulk(objects)));

  test('4 KiB in flight, and then half of what came through', () => {
    link.capacityNow = 1e6;
    expect(drain()).toBe(true);
    expect(link.rate.inFlight).toBe(15_000); // one piece
    through(40_000);
    drain();
    expect(link.rate.inFlight).toBeGreaterThanOrEqual(24_096);
    expect(link.rate.inFlight).toBeLessThan(24_096 + 15_000);
    expect(drain()).toBe(false);
  });

  test('where none went for a second it begins anew', () => {
    vi.useFakeTimers();
    Object.assign(link.rate, { rate: 1e6, rtt: 65_000 });
    link.capacityNow = 200_000;
    drain();
    through(1e6);
    drain();
    expect(link.rate.inFlight).toBeGreaterThan(100_000);
    through(1e6);
    vi.advanceTimersByTime(1_001);
    link.sent.length = 0;
    drain();
    expect(link.of('object').length).toBe(2); // of 3,000 bytes
    vi.useRealTimers();
  });

  test('before the link was seen full: no more than twice what it brings through', () => {
    drain();
    expect(link.of('object')).toEqual([4_096]);
    Object.assign(link.rate, { rate: 100_000, rtt: 65_000 });
    through(100_000);
    drain();
    expect(link.rate.inFlight).toBeGreaterThanOrEqual(2 * 20_000);
    expect(link.rate.inFlight).toBeLessThan(2 * 20_000 + 4_096);
  });

  test('on a link under 200 kbit/s: one small piece at a time', () => {
    link.capacityNow = 8_000;
    drain();
    expect(link.of('object')).toEqual([400]);
  });

  test('on a full link: what there is room for, in pieces of 15 ms', () => {
    link.capacityNow = 200_000;
    drain();
    through(1e6);
    link.sent.length = 0;
    link.room = 30_000;
    drain();
    expect(sum(link.of('object'))).toBe(30_000);
    expect(link.of('object')[0]).toBe(3_000);
  });
});

describe('beside what is live', () => {
  function pump(): { run: () => void; say: (what: 'mic' | 'camera', bytes: number) => void; stop: () => void } {
    const uplink = new Uplink();
    const tracks = { camera: uplink.add('camera', 'video'), mic: uplink.add('mic', 'audio') };
    [tracks.mic.alias, tracks.camera.alias] = [1, 2];
    const data = { waiting: false, run: () => undefined };
    const made = new Pump(uplink, { data, objects, link: () => link as unknown as Link, send: () => true });
    return {
      run: () => made.run(),
      say: (what, bytes) => void tracks[what].push({ data: new Uint8Array(bytes), key: true, config: false, timestamp: 0 }, performance.now()),
      stop: () => made.stop(),
    };
  }

  test('they go last where there is little to say, and the rest of the room is theirs', () => {
    Object.assign(link, { capacityNow: 200_000 });
    const { run, say, stop } = pump();
    run();
    through(1e6);
    link.sent.length = 0;
    link.room = 10_000;
    say('camera', 3_000);
    say('mic', 100);
    run();
    stop();
    expect(link.sent.map(({ what }) => what)).toEqual(['sound', 'picture', 'picture', 'object', 'object', 'object']);
  });

  test('they get a tenth where pictures fill the link, and no more', () => {
    Object.assign(link, { capacityNow: 200_000, room: 0 });
    const { run, say, stop } = pump();
    for (let i = 0; i < 300; i++) {
      say('camera', 5_000);
      Object.assign(link.rate, { inFlight: 0, acked: link.rate.sent });
      link.room = 3_000;
      run();
    }
    stop();
    const part = sum(link.of('object')) / sum(link.sent.map(({ size }) => size));
    expect(part).toBeGreaterThan(0.09);
    expect(part).toBeLessThan(0.13);
    expect(link.waits).toBeGreaterThan(0);
  });

  test('who waits for nothing owes nothing: a silence of objects is not caught up on', () => {
    objects.left = 0;
    Object.assign(link, { capacityNow: 200_000 });
    const { run, say, stop } = pump();
    for (let i = 0; i < 50; i++) {
      say('camera', 5_000);
      run();
    }
    objects.left = 1e6;
    through(0);
    say('mic', 100);
    link.room = 5_000;
    run();
    stop();
    expect(link.sent.slice(link.sent.findIndex(({ what }) => what === 'sound'))[0]!.what).toBe('sound');
    expect(link.of('object').length).toBeGreaterThan(0);
    expect(link.sent.findIndex(({ what }) => what === 'object')).toBeGreaterThan(link.sent.findIndex(({ what }) => what === 'sound'));
  });
});
