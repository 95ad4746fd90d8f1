// Sound, pictures and objects over a simulated uplink: everything of send/ that decides what goes when, but encoders.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Link } from '../session/link';
import { nowUs } from '../session/clock';
import { encodeObject, parseBinary } from '../wire/wire';
import { seeded } from './adapt-sim';
import { Pump } from './pump';
import { RateController } from './rate';
import { MAX_AGE, Uplink } from './uplink';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const HEADER = 8;
const CREDIT = 262_144;
const QUICK_ACKS = 16;
const ACK_BYTES = 16_384;

/** A path to the relay, which acknowledges by docs/protocol.md section 8. */
class Path {
  readonly rate = new RateController();
  readonly sound: { at: number; age: number }[] = [];
  bytesPerSecond = 4e6;
  delayMs = 1;
  /** Bytes of objects that came. */
  objects = 0;
  interval = 100;
  private free = 0;
  private way: { at: number; data: Uint8Array }[] = [];
  private acks: { at: number; bytes: number; came: number }[] = [];
  private got = { bytes: 0, since: 0, messages: 0, came: 0, due: Infinity };

  constructor(private readonly made: number[]) {}

  get room(): number {
    return this.rate.room();
  }

  sendBinary(data: Uint8Array): void {
    this.rate.onSent(data.length, nowUs());
    this.free = Math.max(this.free, performance.now() + this.delayMs) + ((data.length + HEADER) * 1_000) / this.bytesPerSecond;
    this.way.push({ at: this.free, data });
  }

  /** Takes what has come by now, at either end. */
  step(now: number): void {
    const { got } = this;
    while (this.way[0] && this.way[0].at <= now) {
      const { at, data } = this.way.shift()!;
      got.bytes += data.length;
      got.since += data.length;
      got.came = Math.round(at * 1_000);
      got.due = Math.min(got.due, ++got.messages <= QUICK_ACKS ? now : now + this.interval);
      this.take(data, now);
    }
    if (got.since >= ACK_BYTES || now >= got.due) {
      this.acks.push({ at: now + this.delayMs, bytes: got.bytes, came: got.came });
      got.since = 0;
      got.due = Infinity;
    }
    while (this.acks[0] && this.acks[0].at <= now) {
      const { bytes, came } = this.acks.shift()!;
      this.rate.onAck(bytes, came, nowUs());
    }
  }

  private take(data: Uint8Array, now: number): void {
    const message = parseBinary(data);
    if (message.kind === 'object') this.objects += message.payload.length;
    if (message.kind === 'chunk' && message.alias === MIC) this.sound.push({ at: now, age: now - this.made[message.group]! });
  }
}

const [MIC, CAMERA] = [1, 2];

/** Objects are read as the relay's credit allows. */
class Source {
  left = 0;
  private sent = 0;

  constructor(private readonly path: Path) {}

  get waiting(): boolean {
    return this.left > 0 && this.sent < this.path.objects + CREDIT;
  }

  take(most: number): Uint8Array | undefined {
    if (!this.waiting) return undefined;
    this.left -= most;
    this.sent += most;
    return encodeObject({ last: false, turn: 1, stream: 1, offset: this.sent - most, payload: new Uint8Array(most) });
  }
}

// A link grew thin while there was nothing to send but sound, which told nothing of it. The twin of relay/beside_test.go.
test.each([1, 20])('a file that begins on a link grown thin costs no sound, with %i ms on the way', (delayMs) => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = seeded(seed * 7_919);
    const made: number[] = [];
    const path = new Path(made);
    const objects = new Source(path);
    const uplink = new Uplink();
    const [mic, camera] = [uplink.add('mic', 'audio'), uplink.add('camera', 'video')];
    [mic.alias, camera.alias] = [MIC!, CAMERA!];
    const data = { waiting: false, run: () => undefined };
    const ask = (message: unknown): boolean => ((path.interval = (message as { ms: number }).ms), true);
    const pump = new Pump(uplink, { data, objects, link: () => path as unknown as Link, send: ask });
    const thin = 3_000 + Math.floor(random() * 100);
    for (let ms = 0; ms < thin + 4_000; ms++) {
      vi.advanceTimersByTime(1);
      const now = performance.now();
      const frame = (bytes: number) => ({ data: new Uint8Array(bytes), key: ms === 0, config: false, timestamp: ms });
      if (ms % 20 === 0) mic.push(frame(80), made[made.push(now) - 1]!);
      if (ms < 1_500 && ms % 33 === 0) camera.push(frame(ms === 0 ? 20_000 : 3_000 + 3_000 * random()), now);
      if (ms === thin) Object.assign(path, { bytesPerSecond: 60_000, delayMs });
      if (ms === thin + 300) objects.left = 1e6;
      path.step(now);
      pump.run();
    }
    pump.stop();
    expect(uplink.drops, `seed ${seed}`).toEqual({});
    expect(Math.max(...path.sound.map(({ age }) => age)), `seed ${seed}`).toBeLessThan(MAX_AGE.audio + 100 + delayMs);
    expect(path.objects, `seed ${seed}`).toBeGreaterThan(90_000);
  }
});
