// The surroundings of one test: a relay of its own, people, a bad network, a witness. After the test everybody
// leaves, and the relay must be as it was before: see verdict().

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { browserOf, type Capture } from './browsers';
import { Datagrams } from './datagrams';
import { percentile } from './figures';
import type { Role } from './media';
import { Observer } from './observer';
import { Person } from './person';
import { install } from './probe';
import { Proxy } from './proxy';
import { Server, type Metrics, type ServerOptions } from './server';
import { until } from './wait';

export interface PersonOptions extends Omit<Capture, 'role'> {
  size?: { width: number; height: number };
  /** For probes that the page's own policy would not let in. */
  bypassCSP?: boolean;
  transport?: 'auto' | 'ws';
}

export class House {
  readonly people: Person[] = [];
  /** Console errors that the test causes itself. */
  readonly expectedErrors: RegExp[] = [];
  /** Whether the test cuts connections, so that there may be resumes. */
  cuts = false;
  /** Whether pages that are not ours take part by WebRTC. */
  strangers = false;
  private readonly proxies: Proxy[] = [];
  private readonly paths: Datagrams[] = [];
  private readonly observers: Observer[] = [];
  private baseline = { goroutines: 0, descriptors: 0 };

  private constructor(
    public server: Server,
    private readonly options: ServerOptions,
    private readonly name: string,
  ) {}

  static async open(name: string, options: ServerOptions): Promise<House> {
    const house = new House(await Server.start(options), options, name);
    // The first request warms up what stays, such as the poller's descriptors.
    await house.server.metrics();
    // Goroutines that gather the metrics count as well, or not, as it happens: one look may be one or two off.
    const looks: Metrics[] = [];
    while (looks.length < 15) looks.push(await house.server.metrics());
    const usual = (name: string) => percentile(looks.map((metrics) => metrics.sum(name)), 0.5);
    house.baseline = { goroutines: usual('go_goroutines'), descriptors: usual('process_open_fds') };
    return house;
  }

  async person(role: Role, options: PersonOptions = {}): Promise<Person> {
    const { sound = 'steady', asks = false, size = { width: 1100, height: 760 }, bypassCSP = false, transport = 'ws' } = options;
    const browser = await browserOf({ role, sound, asks });
    const context = await browser.newContext({ viewport: size, bypassCSP });
    await context.addInitScript(install);
    // The microphone's own sound: a steady tone would be taken for noise.
    await context.addInitScript(() => localStorage.getItem('landline.prefs') ?? localStorage.setItem('landline.prefs', '{"sound":"original"}'));
    const person = new Person(role, context, await context.newPage(), transport);
    this.people.push(person);
    return person;
  }

  /** People who are in the room and see each other. */
  async call<const R extends readonly Role[]>(room: string, roles: R, options: PersonOptions = {}): Promise<{ [K in keyof R]: Person }> {
    const people = await Promise.all(roles.map((role) => this.person(role, options)));
    await Promise.all(people.map((person) => person.join(this.server.url, room)));
    await Promise.all(people.flatMap((one) => people.filter((other) => other !== one).map((other) => one.sees(other))));
    return people as unknown as { [K in keyof R]: Person };
  }

  async proxy(seed: number): Promise<Proxy> {
    const proxy = await Proxy.open(this.server.port, seed);
    this.proxies.push(proxy);
    return proxy;
  }

  /** A path for UDP: what is sent to its port comes to the relay, or does not. */
  async datagrams(seed: number, delayMs: number): Promise<Datagrams> {
    const path = await Datagrams.open(this.server.port, seed, delayMs);
    this.paths.push(path);
    return path;
  }

  async observer(room: string, token?: string): Promise<Observer> {
    const observer = await Observer.join(this.server.url, room, token);
    this.observers.push(observer);
    return observer;
  }

  /** Ends the relay and starts it again on the same port. */
  async restart(): Promise<void> {
    const { port } = this.server;
    expect(await this.server.stop(), 'exit code of the server').toBe(0);
    this.server = await Server.start({ ...this.options, port });
  }

  /** Everybody leaves; then the relay, and what the pages complained about, is judged. */
  async close(failed: boolean): Promise<void> {
    if (failed) await this.photograph();
    const complaints = await this.complaints();
    await this.sayGoodbye();
    await Promise.all(this.people.map((person) => person.context.close()));
    await Promise.all(this.observers.map((observer) => observer.leave().catch(() => undefined)));
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    for (const path of this.paths) path.close();
    expect.soft(complaints, 'complaints of the pages').toEqual([]);
    if (!this.server.running) return;
    try {
      await this.verdict();
    } finally {
      expect.soft(await this.server.stop(), 'exit code of the server').toBe(0);
    }
  }

  /** Pages go elsewhere before their browser is taken from them, and what they say last is given time to arrive. */
  private async sayGoodbye(): Promise<void> {
    await Promise.all(this.people.map(({ page }) => (page.isClosed() ? undefined : page.goto('about:blank').catch(() => undefined))));
    if (!this.server.running) return;
    const watching = this.observers.length;
    await until('the pages have left', async () => (await this.server.metrics()).sum('landline_sessions') <= watching, { ms: 5_000, every: 50 })
      .catch(() => undefined); // the verdict will tell
  }

  private async verdict(): Promise<void> {
    await until('the relay is as it was before', async () => {
      const left = this.leftovers(await this.server.metrics());
      if (left.length > 0) throw new Error(left.join(', '));
      return true;
    }, { ms: 15_000, every: 200 }).catch(async (error: unknown) => {
      console.log(`what the server was doing:\n${await this.server.autopsy()}`);
      throw error;
    });
    const metrics = await this.server.metrics();
    expect.soft(metrics.sum('landline_panics_total'), 'panics').toBe(0);
    if (!this.strangers && this.people.every(({ transport }) => transport === 'ws')) {
      expect.soft(metrics.sum('landline_media_bytes_out_total', 'path="webrtc"'), 'media by WebRTC where a test is of the WebSocket').toBe(0);
    }
    expect.soft(metrics.sum('landline_closes_total', 'name=""'), 'closes without a name').toBe(0);
    if (!this.cuts) expect.soft(metrics.sum('landline_resumes_total'), 'reconnects that nothing caused').toBe(0);
  }

  private leftovers(metrics: Metrics): string[] {
    const { goroutines, descriptors } = this.baseline;
    const bounds: [string, number][] = [
      ['landline_sessions', 0], ['landline_members', 0], ['landline_rooms', 0], ['landline_queue_bytes', 0],
      ['go_goroutines', goroutines], ['process_open_fds', descriptors],
    ];
    return bounds.filter(([name, most]) => metrics.sum(name) > most).map(([name, most]) => `${name} is ${metrics.sum(name)}, not ${most}`);
  }

  private async complaints(): Promise<string[]> {
    const found: string[] = [];
    for (const { name, page, errors } of this.people) {
      found.push(...errors.filter((text) => !this.expectedErrors.some((known) => known.test(text))).map((text) => `${name}: ${text}`));
      if (page.isClosed()) continue;
      const violations = await page.evaluate(() => window.probe.violations);
      found.push(...violations.map((text) => `${name}: content policy: ${text}`));
    }
    return found;
  }

  private async photograph(): Promise<void> {
    mkdirSync(inject('results'), { recursive: true });
    const slug = this.name.replace(/[^a-z0-9]+/gi, '-').slice(0, 60);
    for (const { role, page } of this.people) {
      if (page.isClosed()) continue;
      await page.screenshot({ path: join(inject('results'), `failed-${slug}-${role}.png`) }).catch(() => undefined);
    }
    const rooms = this.server.running ? JSON.stringify(await this.server.rooms()) : 'not running';
    console.log(`log of the server:\n${this.server.log.slice(-30).join('\n')}\nits rooms: ${rooms}`);
  }
}

type Fixture = { house: House };

/** A test with a house whose server was started with these options. */
function inHouse(options: ServerOptions) {
  return test.extend<Fixture>({
    house: async ({ task }, use) => {
      const house = await House.open(task.name, options);
      try {
        await use(house);
      } finally {
        await house.close(task.result?.state === 'fail' || (task.result?.errors?.length ?? 0) > 0);
      }
    },
  });
}

/** Without keys: everybody may enter, each time as somebody new. */
export const e2e = inHouse({});

/** A relay that records. */
export const recording = (recordings: string) => inHouse({ recordings });

export const KEY = { id: 'main', secret: 'a secret of the end-to-end tests' };

/** Where UDP can be cut. */
export const faulty = inHouse({ args: ['--debug-faults'] });

/** Without WebRTC. */
export const plain = inHouse({ args: ['--rtc=off'] });

/** With a key: who enters needs a token. */
export const keyed = inHouse({ key: KEY });

/** The same, of one that records. */
export const keyedRecording = (recordings: string) => inHouse({ key: KEY, recordings });
