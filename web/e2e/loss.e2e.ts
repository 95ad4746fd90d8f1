// Pages that are not ours publish by WHIP and watch by WHEP over paths that lose datagrams: what is heard and seen at the end of it, and
// that nobody who receives over the WebSocket sees a broken picture. LANDLINE_LONG=1 runs it, a minute for each path, on a calm machine.

import type { Page } from 'playwright-core';
import { watch, watched, type Watched } from './harness/frames';
import { e2e, type House } from './harness/house';
import { held, watchLoad, type Goal } from './harness/load';
import { elapse, until } from './harness/wait';

const WINDOW_MS = 60_000;
/** Before it, without any loss: what a busy machine does by itself. */
const FLOOR_MS = 15_000;
const ROOM = 'cinema';
/** One way, ms: 60 there and back. */
const DELAY_MS = 30;

const PATHS = [
  { leg: 'up', loss: 0.05, seed: 1, concealed: 0.005, frozen: 0.05 },
  { leg: 'down', loss: 0.05, seed: 2, concealed: 0.005, frozen: 0.05 },
  { leg: 'up', loss: 0.1, seed: 3, concealed: 0.02, frozen: 0.1 },
  { leg: 'down', loss: 0.1, seed: 4, concealed: 0.02, frozen: 0.1 },
] as const;

declare global {
  interface Window {
    stranger: RTCPeerConnection;
    leave: () => Promise<unknown>;
  }
}

/** Publishes the camera and the microphone, or watches who does, through a port. */
async function connect(page: Page, way: 'whip' | 'whep', port: number): Promise<void> {
  await page.evaluate(async ({ at, watches, port }) => {
    const pc = (window.stranger = new RTCPeerConnection());
    if (watches) {
      const video = document.body.appendChild(document.createElement('video'));
      const stream = new MediaStream();
      for (const kind of ['audio', 'video']) stream.addTrack(pc.addTransceiver(kind, { direction: 'recvonly' }).receiver.track);
      Object.assign(video, { autoplay: true, srcObject: stream });
    } else {
      const own = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
      for (const track of (await navigator.mediaDevices.getUserMedia({ video: true, audio: own })).getTracks()) {
        pc.addTransceiver(track, { direction: 'sendonly' });
      }
    }
    await pc.setLocalDescription(await pc.createOffer());
    const answer = await fetch(at, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: pc.localDescription!.sdp });
    const lines = (await answer.text()).split('\r\n').filter((line) => !/^a=candidate:.* tcp /i.test(line));
    const sdp = lines.map((line) => line.replace(/^(a=candidate:\S+ \d udp \d+) \S+ \d+ /i, `$1 127.0.0.1 ${port} `)).join('\r\n');
    await pc.setRemoteDescription({ type: 'answer', sdp });
    window.leave = () => fetch(answer.headers.get('Location')!, { method: 'DELETE' });
  }, { at: way === 'whip' ? `/whip/${ROOM}` : `/whep/${ROOM}/WHIP`, watches: way === 'whep', port });
}

/** What the page's PeerConnection has counted so far, of streams of one type. */
async function counted(page: Page, type: 'inbound-rtp' | 'outbound-rtp'): Promise<Record<string, number>> {
  return page.evaluate(async (type) => {
    const counters: Record<string, number> = {};
    for (const stats of (await window.stranger.getStats()).values()) {
      if (stats.type !== type) continue;
      for (const [name, value] of Object.entries(stats)) if (typeof value === 'number') counters[`${stats.kind} ${name}`] = value;
    }
    return counters;
  }, type);
}

/** What was counted in a time. */
async function over(ms: number, page: Page, type: 'inbound-rtp' | 'outbound-rtp'): Promise<(name: string) => number> {
  const before = await counted(page, type);
  await elapse(ms);
  const after = await counted(page, type);
  return (name) => (after[name] ?? 0) - (before[name] ?? 0);
}

type Path = (typeof PATHS)[number];

interface Seen {
  concealed: number;
  frozen: number;
  broken: number;
}

const COUNTERS = {
  got: ['audio packetsReceived', 'audio packetsLost', 'audio concealmentEvents', 'audio silentConcealedSamples', 'audio nackCount', 'video framesDecoded', 'video keyFramesDecoded',
    'video freezeCount', 'video packetsReceived', 'video packetsLost', 'video nackCount', 'video retransmittedPacketsReceived', 'video pliCount'],
  sent: ['audio packetsSent', 'audio nackCount', 'audio retransmittedPacketsSent', 'video packetsSent', 'video framesSent', 'video keyFramesEncoded', 'video nackCount', 'video pliCount',
    'video retransmittedPacketsSent'],
};

/** Bob publishes by WHIP, Cyd watches by WHEP, and Ann by the WebSocket; returned is what measures for a time while so much is lost. */
async function scene(house: House, { leg, seed }: Path): Promise<(loss: number, ms: number) => Promise<Seen>> {
  const ways = { up: await house.datagrams(seed, DELAY_MS), down: await house.datagrams(seed + 100, DELAY_MS) };
  const [ann, bob, cyd] = [await house.person('ann'), await house.person('bob', { bypassCSP: true }), await house.person('cyd', { bypassCSP: true })];
  await Promise.all([ann.join(house.server.url, ROOM), bob.page.goto(house.server.url), cyd.page.goto(house.server.url)]);
  await connect(bob.page, 'whip', ways.up.port);
  await ann.sees({ name: 'WHIP', id: bob.id });
  await connect(cyd.page, 'whep', ways.down.port);
  await until('pictures and sound come', async () => {
    const so = await counted(cyd.page, 'inbound-rtp');
    return so['video framesDecoded']! >= 60 && so['audio packetsReceived']! >= 100;
  }, { ms: 30_000 });
  await watch(ann.pictureOf({ name: 'WHIP' }));
  return async (loss, ms) => {
    ways[leg].loss = loss;
    await watched(ann.page);
    const load = watchLoad();
    const [got, sent] = await Promise.all([over(ms, cyd.page, 'inbound-rtp'), over(ms, bob.page, 'outbound-rtp')]);
    const [seen, { idle }] = [await watched(ann.page), await load()];
    const concealed = got('audio concealedSamples') / got('audio totalSamplesReceived');
    const frozen = (1000 * got('video totalFreezesDuration')) / ms;
    const delayMs = ['audio', 'video'].map((kind) => Math.round((1000 * got(`${kind} jitterBufferDelay`)) / got(`${kind} jitterBufferEmittedCount`)));
    const counts = (of: (name: string) => number, names: string[]) => Object.fromEntries(names.map((name) => [name, of(name)]));
    const { up, down } = ways[leg];
    console.log(JSON.stringify({ leg, loss, seed, idle: Number(idle.toFixed(2)), concealed, frozen, lost: { up: up.lost, of: up.taken, down: down.lost, ofDown: down.taken },
      seen, delayMs, got: counts(got, COUNTERS.got), sent: counts(sent, COUNTERS.sent) }));
    return { concealed, frozen, broken: broken(seen) };
  };
}

/** Prints what was seen, and gives what is asked of it. */
function goals({ leg, loss, seed, concealed, frozen }: Path, seen: Seen, floor: Seen): Goal[] {
  const scenario = `${100 * loss} % of a ${leg === 'up' ? 'publisher' : 'viewer'}'s datagrams lost, ${2 * DELAY_MS} ms there and back`;
  const round = (value: number): number => Number(value.toFixed(4));
  return ([['concealed', 'share of sound that is concealed', concealed], ['frozen', 'share of time in which the picture is frozen', frozen],
    ['broken', 'broken pictures over the WebSocket', 0]] as const).map(([of, metric, most]) => {
    console.log(JSON.stringify({ scenario, seed, metric, value: round(seen[of]), floor: round(floor[of]), goal: `<= ${most}` }));
    return { what: metric, value: seen[of], most };
  });
}

/** Pictures without a stamp, with another's, or that go back. Whether they did is not known where a stall was as long as half of the camera's loop. */
function broken({ torn, blank, back, longest }: Watched): number {
  return torn + blank + (longest < 4_000 ? back : 0);
}

for (const path of PATHS) {
  e2e(`${100 * path.loss} % of datagrams are lost on the way ${path.leg}`, async ({ house }) => {
    house.strangers = true;
    const measure = await scene(house, path);
    await held(async () => {
      const floor = await measure(0, FLOOR_MS);
      return goals(path, await measure(path.loss, WINDOW_MS), floor);
    });
    const pages = house.people.filter(({ role }) => role !== 'ann').map(({ page }) => page);
    await Promise.all(pages.map((page) => page.evaluate(() => window.leave())));
  }, 3 * (FLOOR_MS + WINDOW_MS) + 90_000);
}
