// One's own uplink gets slow, and fast again: what the page sends follows, and what others see of it goes on.

import { expect } from 'vitest';
import type { RoomStats } from '../sdk';
import { figure, percentile, trace } from './harness/figures';
import { e2e, type House } from './harness/house';
import { watchLoad } from './harness/load';
import type { Person } from './harness/person';
import { LARGE_BUFFER, SMALL_BUFFER, type Proxy, type Shape } from './harness/proxy';
import { installTiming, type Sighting } from './harness/timing';
import { elapse, until } from './harness/wait';

const ROOM = 'kitchen';
const MBIT = 1e6 / 8;
/** What a camera of 640x360 is sent with at its best, bit/s. */
const BEST = 700_000;
const LONG = process.env['LANDLINE_LONG'] === '1';

interface Seen {
  at: number;
  stats: RoomStats;
}

/** Ann behind a network of this shape, Bob on a good one, in a call; what Bob sees of Ann is timed. */
async function call(house: House, shape: Partial<Shape>) {
  const proxy = await house.proxy(1);
  proxy.become(shape);
  const [ann, bob] = [await house.person('ann'), await house.person('bob')];
  await bob.context.addInitScript(installTiming);
  await Promise.all([ann.join(proxy.url, ROOM), bob.join(house.server.url, ROOM)]);
  await Promise.all([ann.meets(bob), bob.meets(ann)]);
  await bob.pictureOf(ann).evaluate((canvas) => window.timing.watchOther(canvas as HTMLCanvasElement));
  await ann.page.evaluate(() => window.probe.record());
  return { proxy, ann, bob };
}

/** Ann behind a network, Bob on a good one, with microphones as people have them, and no cameras. */
async function talk(house: House) {
  const proxy = await house.proxy(2);
  const [ann, bob] = [await house.person('ann'), await house.person('bob')];
  for (const { context } of [ann, bob]) {
    await context.addInitScript(() => localStorage.setItem('landline.prefs', '{"sound":"clean","cameraOn":false}'));
  }
  await Promise.all([ann.join(proxy.url, ROOM), bob.join(house.server.url, ROOM)]);
  for (const person of [ann, bob]) {
    await until(`${person.name} gets the other's voice`, async () => (await person.page.evaluate(() => window.probe.stats())).tracks.length === 1);
  }
  return { proxy, ann, bob };
}

const recorded = (person: Person): Promise<Seen[]> => person.page.evaluate(() => window.probe.recorded);

/** Bits a second of Ann's camera that the relay takes in, over so long. */
async function taken(house: House, ms: number): Promise<number> {
  const bytes = async () => (await house.server.members(ROOM)).get('Ann')!.tracks.find(({ id }) => id === 'camera')!.bytes;
  const [before, start] = [await bytes(), performance.now()];
  await elapse(ms);
  return (((await bytes()) - before) * 8_000) / (performance.now() - start);
}

/** The longest that a picture stood, ms. */
function longestStand(seen: readonly Sighting[]): number {
  return Math.max(...seen.map(({ at }, i) => at - (seen[i - 1]?.at ?? at)));
}

/** The camera as Ann sends it. */
const camera = ({ stats }: Seen) => stats.uplink.video.find(({ track }) => track === 'camera')!;

function changes(seen: readonly Seen[]): number {
  return seen.filter((one, i) => i > 0 && camera(one).step !== camera(seen[i - 1]!).step).length;
}

function tell(scenario: string, seen: readonly Seen[], start: number): void {
  trace(scenario, seen.map((one) => {
    const { uplink } = one.stats;
    const { bitrate, step } = camera(one);
    const round = Math.round;
    return {
      t: round(one.at - start), target: bitrate, sent: round(uplink.bitrate), queueAge: round(uplink.queueAge),
      delay: round(uplink.delay), window: uplink.window, step,
    };
  }));
}

const now = (): number => performance.timeOrigin + performance.now();

/** The uplink is thin for so long; tells when it became thin and wide again, by the wall clock, and what the relay got meanwhile. */
async function squeeze(house: House, proxy: Proxy, ms: number) {
  const before = await taken(house, 4_000);
  const down = now();
  proxy.become({ up: 0.5 * MBIT });
  await elapse(3_000);
  const meanwhile = await taken(house, ms - 3_000);
  const up = now();
  proxy.become({ up: 3 * MBIT });
  return { before, meanwhile, down, up };
}

/** Waits until the camera is sent as good as it can be. Its page is asked rarely: it has other things to do. */
async function atBest(ann: Person, ms: number): Promise<Seen> {
  return until('the camera is at its best', async () => {
    const last = { at: now(), stats: await ann.page.evaluate(() => window.probe.stats()) };
    return camera(last).step === 0 && camera(last).bitrate > 0.85 * BEST ? last : undefined;
  }, { ms, every: 200 });
}

interface Goal {
  what: string;
  values: number[];
  goal: string;
  met: boolean;
  /** Whether it is met by so much as a machine with nothing to spare can be held to. */
  roughly?: boolean;
}

/** What came of one fall and rise. */
async function fallAndRise(house: House, proxy: Proxy, ann: Person, bob: Person): Promise<Goal[]> {
  await atBest(ann, 20_000); // browsers that start leave little time for anything else
  const { before, meanwhile, down, up } = await squeeze(house, proxy, 10_000);
  const best = await atBest(ann, 20_000);
  let after = 0;
  // What an encoder that was just begun makes beyond its aim need not come back.
  const enough = 0.8 * Math.min(before, BEST);
  await until('the relay gets as much of the camera as before', async () => (after = await taken(house, 2_000)) > enough, { ms: 10_000 });
  const back = now() - up;
  const seen = (await recorded(ann)).map(({ at, stats }) => ({ at, age: stats.uplink.queueAge }));
  const late = seen.filter(({ at }) => at > down + 2_000 && at < up).map(({ age }) => age);
  const high = seen.findIndex(({ at, age }) => at > down && age >= 200);
  const settled = high < 0 ? 0 : seen.find(({ age }, i) => i > high && age < 200)!.at - down;
  const stand = longestStand((await bob.page.evaluate(() => window.timing.other)).filter(({ at }) => at > down - 2_000));
  return [
    { what: 'own queue age 2 s after the fall and later', values: late, goal: 'p95 < 200', met: percentile(late, 0.95) < 200, roughly: percentile(late, 0.95) < 800 },
    { what: 'own queue age back under 200', values: [settled], goal: '<= 2000', met: settled <= 2_000, roughly: settled <= 5_000 },
    { what: 'longest stand of the picture at the other', values: [stand], goal: '<= 1000', met: stand <= 1_000, roughly: stand <= 4_000 },
    { what: 'at its best again', values: [best.at - up], goal: '<= 15000', met: best.at - up <= 15_000 },
    { what: 'as much of it taken in by the relay again', values: [back], goal: '<= 15000', met: back <= 15_000 },
    { what: 'kbit/s of the camera before', values: [before / 1000], goal: '', met: true },
    { what: 'kbit/s of the camera meanwhile', values: [meanwhile / 1000], goal: '< 480', met: meanwhile < Math.min(0.48e6, 0.8 * before) },
    { what: 'kbit/s of the camera after', values: [after / 1000], goal: '', met: true },
  ];
}

/** On a machine with less to spare than this, what is seen is what other work does. */
const CALM = 0.15;
const ATTEMPTS = 3;

async function stepResponse(house: House, bufferBytes: number, scenario: string): Promise<void> {
  const { proxy, ann, bob } = await call(house, { delayMs: 20, up: 3 * MBIT, bufferBytes });
  for (let attempt = 1; ; attempt++) {
    const load = watchLoad();
    const start = now();
    let goals: Goal[] = [];
    let unmet: string[] = [];
    try {
      goals = await fallAndRise(house, proxy, ann, bob);
      unmet = goals.filter(({ met }) => !met).map(({ what, values }) => `${what}: ${values.map(Math.round).join(' ')}`);
    } catch (error) {
      unmet = [String(error)];
    }
    for (const { what, values, goal } of goals) figure(scenario, what, values, goal);
    tell(scenario, (await recorded(ann)).filter(({ at }) => at > start), start);
    const spare = (await load()).idle;
    console.log(JSON.stringify({ scenario, attempt, idle: spare.toFixed(2), unmet }));
    if (unmet.length === 0) return;
    if (attempt === ATTEMPTS && spare < CALM && goals.length > 0 && goals.every(({ met, roughly }) => met || roughly)) {
      console.log('too noisy: the machine had nothing to spare in any attempt; delays are bounded, and no more is held');
      return;
    }
    expect(attempt === ATTEMPTS || spare >= CALM ? unmet : [], `${Math.round(spare * 100)} % of the machine to spare`).toEqual([]);
    proxy.become({ up: 3 * MBIT });
  }
}

e2e('an uplink that falls from 3 to 0.5 Mbit/s lowers the picture at once, and raises it again', async ({ house }) => {
  await stepResponse(house, SMALL_BUFFER, 'uplink 3, 0.5, 3 Mbit/s, small buffer');
}, ATTEMPTS * 70_000);

if (LONG) e2e('also where the network has a large buffer', async ({ house }) => {
  await stepResponse(house, LARGE_BUFFER, 'uplink 3, 0.5, 3 Mbit/s, large buffer');
}, ATTEMPTS * 70_000);

/** The share of the other's voice that was not made up by the player, looked at each second. */
async function whole(person: Person, seconds: number): Promise<number> {
  let heard = 0;
  for (let i = 0; i < seconds; i++) {
    await elapse(1_000);
    const [voice] = (await person.page.evaluate(() => window.probe.stats())).tracks;
    heard += 1 - voice!.concealed;
  }
  return heard / seconds;
}

if (LONG) e2e('voices are whole over 64 kbit/s each way', async ({ house }) => {
  const { proxy, ann, bob } = await talk(house);
  proxy.become({ up: 8_000, down: 8_000, delayMs: 30, bufferBytes: SMALL_BUFFER });
  await elapse(5_000);
  const shares = await Promise.all([whole(ann, 30), whole(bob, 30)]);
  figure('voices over 64 kbit/s, 60 ms there and back', 'per cent of the voice that is whole', shares.map((share) => share * 100), '>= 98');
  expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.98);
}, 90_000);

for (const rate of [0.8, 0.35]) if (LONG) e2e(`an uplink in between, of ${rate} Mbit/s, settles`, async ({ house }) => {
  const { ann, bob } = await call(house, { delayMs: 20, up: rate * MBIT, bufferBytes: SMALL_BUFFER });
  await elapse(300_000);
  const seen = await recorded(ann);
  const scenario = `5 minutes of ${rate} Mbit/s`;
  tell(scenario, seen, seen[0]!.at);
  const ages = seen.map(({ stats }) => stats.uplink.queueAge);
  figure(scenario, 'own queue age', ages, 'p95 < 200');
  figure(scenario, 'kbit/s sent', seen.map(({ stats }) => stats.uplink.bitrate / 1000), '');
  figure(scenario, 'changes of the step', [changes(seen)], '<= 3');
  figure(scenario, 'longest stand of the picture at the other', [longestStand(await bob.page.evaluate(() => window.timing.other))], '');
  expect(changes(seen)).toBeLessThanOrEqual(3);
  expect(percentile(ages, 0.95)).toBeLessThan(200);
}, 360_000);
