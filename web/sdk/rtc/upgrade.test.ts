import { describe, expect, test } from 'vitest';
import type { Receiver } from '../receive/receiver';
import type { Outgoing, ServerMessage } from '../wire/messages';
import type { RtcToPage } from './bridge';
import { Upgrade } from './upgrade';

/** A received track, as far as an upgrade looks at it. */
class Track {
  line: object | undefined;
  byRtp = false;
  isReady = false;
  isBack = false;
  constructor(
    readonly remote: { member: string; track: { id: string; kind: string } },
  ) {}
  ready(): boolean {
    return this.isReady;
  }
  readyBack(): boolean {
    return this.isBack;
  }
  turnTo(rtp: boolean): void {
    this.byRtp = rtp;
  }
  met = true;
  meet(): void {}
  note(): void {}
}

const trackOf = (member: string, id: string, kind: string): Track => new Track({ member, track: { id, kind } });

/** An upgrade whose time is told, with what it says to the relay and to the page. */
function stage(tracks: Track[]) {
  const sent: Outgoing[] = [];
  const posted: RtcToPage[] = [];
  let req = 0;
  const upgrade = new Upgrade({
    send: (message) => sent.push(message) > 0,
    post: (message) => posted.push(message),
    nextReq: () => ++req,
    of: (member) => tracks.filter(({ remote }) => remote.member === member) as unknown as Receiver[],
    level: () => undefined,
  });
  const hear = (message: object, now: number): boolean => upgrade.control(message as ServerMessage, now);
  const carry = (mid: string, { remote }: Track, now: number): boolean =>
    hear({ type: 'rtcTrack', mid, member: remote.member, track: remote.track.id, sequence: 1, rtp: 100, us: 5_000_000 }, now);
  const up = (now: number): void => {
    upgrade.joined(undefined, now);
    upgrade.tick(now + 1_000);
    const open = posted.at(-1);
    if (open?.is !== 'rtc-open') throw new Error('no PeerConnection is opened');
    upgrade.handle({ do: 'rtc-offer', turn: open.turn, sdp: 'offer' }, now + 1_010);
    hear({ type: 'rtcAnswer', req, sdp: 'answer' }, now + 1_020);
    upgrade.handle({ do: 'rtc-up', turn: open.turn }, now + 1_100);
  };
  const counts = (packets: number, lost: number, now: number): void => {
    const turn = posted.findLast((m) => m.is === 'rtc-open')?.turn ?? 0;
    upgrade.handle({ do: 'rtc-counts', turn, packets, lost, lines: [] }, now);
  };
  return { upgrade, sent, posted, hear, carry, up, counts, opened: () => posted.filter(({ is }) => is === 'rtc-open').length };
}

const UP = 1_100;

test('a publisher changes over when all of its tracks are ready, and the relay is told when they have been for a while', () => {
  const [camera, mic, other] = [trackOf('ann', 'camera', 'video'), trackOf('ann', 'mic', 'audio'), trackOf('bob', 'mic', 'audio')];
  const { upgrade, sent, posted, carry, up } = stage([camera, mic, other]);
  up(0);
  expect(sent).toEqual([{ type: 'rtcOffer', req: 1, sdp: 'offer', both: true }]);
  carry('0', camera, UP);
  carry('1', mic, UP);
  expect(posted).toContainEqual({ is: 'rtc-line', turn: 1, mid: '0', kind: 'video', member: 'ann', rtp: 100, us: 5_000_000 });
  camera.isReady = true;
  upgrade.tick(UP + 500);
  expect(camera.byRtp).toBe(false);
  mic.isReady = true;
  upgrade.tick(UP + 600);
  expect([camera.byRtp, mic.byRtp, other.byRtp]).toEqual([true, false, false]);
  mic.isReady = false;
  upgrade.tick(UP + 900);
  mic.isReady = true;
  upgrade.tick(UP + 1_480);
  expect(posted.filter(({ is }) => is === 'rtc-sound')).toEqual([]);
  upgrade.tick(UP + 1_510);
  expect([camera.byRtp, mic.byRtp, other.byRtp]).toEqual([true, true, false]);
  expect(posted).toContainEqual({ is: 'rtc-sound', member: 'ann', rtp: true });
  expect(sent).toHaveLength(1);
  upgrade.tick(UP + 1_620);
  expect(sent.at(-1)).toEqual({ type: 'rtcPath', member: 'ann', path: 'webrtc' });
  expect(upgrade.why).toBeUndefined();
});

test('a publisher that does not come whole stays on the WebSocket, and is tried again a minute later', () => {
  const camera = trackOf('ann', 'camera', 'video');
  const { upgrade, sent, carry, up } = stage([camera]);
  up(0);
  carry('0', camera, UP);
  upgrade.tick(UP + 20_050);
  expect(sent.at(-1)).toEqual({ type: 'rtcPath', member: 'ann', path: 'websocket' });
  upgrade.tick(UP + 70_000);
  expect(sent).toHaveLength(2);
  upgrade.tick(UP + 80_200);
  expect(sent.at(-1)).toEqual({ type: 'rtcPath', member: 'ann', path: 'both' });
});

test('packets that do not come any more bring all back at once; UDP is tried again 12 s later, then later still', () => {
  const camera = trackOf('ann', 'camera', 'video');
  const { upgrade, sent, posted, hear, carry, up, counts, opened } = stage([camera]);
  up(0);
  carry('0', camera, UP);
  camera.isReady = true;
  upgrade.tick(UP + 100);
  expect(camera.byRtp).toBe(true);
  counts(100, 0, 2_000);
  counts(100, 0, 2_260);
  counts(100, 0, 2_300);
  hear({ type: 'rtcSent', packets: 120 }, 2_310);
  counts(100, 0, 2_500);
  expect(camera.byRtp).toBe(false);
  expect(camera.line).toBeUndefined();
  expect(sent.at(-1)).toEqual({ type: 'rtcClose', reason: 'timeout' });
  expect(posted).toContainEqual({ is: 'rtc-close', turn: 1 });
  expect(upgrade.why).toBe('lost');
  upgrade.tick(14_400);
  expect(opened()).toBe(1);
  upgrade.tick(14_500);
  expect(opened()).toBe(2);
  upgrade.tick(19_600);
  expect(upgrade.why).toBe('blocked');
  upgrade.tick(19_600 + 119_000);
  expect(opened()).toBe(2);
  upgrade.tick(19_600 + 120_000);
  expect(opened()).toBe(3);
});

test('where much is lost the WebSocket carries; a little is borne', () => {
  const { upgrade, up, counts } = stage([]);
  up(0);
  counts(0, 0, 2_000);
  counts(950, 50, 7_000);
  expect(upgrade.why).toBeUndefined();
  counts(1_750, 250, 12_000);
  expect(upgrade.why).toBe('loss');
});

test('the word of the relay that there is no place brings one publisher back', () => {
  const [camera, other] = [trackOf('ann', 'camera', 'video'), trackOf('bob', 'camera', 'video')];
  const { upgrade, hear, carry, up } = stage([camera, other]);
  up(0);
  carry('0', camera, UP);
  carry('1', other, UP);
  camera.isReady = other.isReady = true;
  upgrade.tick(UP + 50);
  hear({ type: 'rtcPath', member: 'ann', path: 'websocket' }, UP + 60);
  upgrade.tick(UP + 100);
  expect([camera.byRtp, other.byRtp]).toEqual([false, true]);
});

describe('a path that a test asks for', () => {
  /** A publisher of one track who has changed over, and what was said since. */
  function changed() {
    const camera = trackOf('ann', 'camera', 'video');
    const it = stage([camera]);
    it.up(0);
    it.carry('0', camera, UP);
    camera.isReady = true;
    for (const ms of [100, 800, 1_000]) it.upgrade.tick(UP + ms);
    expect(it.sent.splice(0).at(-1)).toEqual({ type: 'rtcPath', member: 'ann', path: 'webrtc' });
    const force = (path: string, ms: number): boolean => it.hear({ type: 'rtcForce', path }, UP + ms);
    const tick = (ms: number): void => it.upgrade.tick(UP + ms);
    return { ...it, camera, force, tick, paths: () => it.sent.splice(0).map((m) => (m.type === 'rtcPath' ? m.path : m.type)) };
  }

  test('the WebSocket carries as well, takes over when it is as far, and keeps it; WebRTC takes over as ever', () => {
    const { camera, posted, force, tick, paths } = changed();
    force('websocket', 2_000);
    expect(paths()).toEqual(['both']);
    tick(2_400);
    expect(camera.byRtp).toBe(true);
    camera.isBack = true;
    tick(2_450);
    expect(camera.byRtp).toBe(false);
    expect(posted.at(-1)).toEqual({ is: 'rtc-sound', member: 'ann', rtp: false });
    expect(paths()).toEqual([]);
    tick(2_600);
    expect(paths()).toEqual(['websocket']);
    tick(90_000);
    expect(paths()).toEqual([]);
    force('webrtc', 90_000);
    expect(paths()).toEqual(['both']);
    for (const ms of [90_050, 90_700, 90_850]) tick(ms);
    expect(camera.byRtp).toBe(true);
    expect(paths()).toEqual(['webrtc']);
  });

  test('a WebSocket that does not come so far takes over in the end', () => {
    const { camera, force, tick, paths } = changed();
    force('websocket', 2_000);
    tick(7_050);
    tick(7_200);
    expect(camera.byRtp).toBe(false);
    expect(paths()).toEqual(['both', 'websocket']);
  });

  test('asked for again before the change is over, WebRTC goes on', () => {
    const { camera, force, tick, paths } = changed();
    force('websocket', 2_000);
    tick(2_050);
    force('webrtc', 2_100);
    tick(2_250);
    expect(camera.byRtp).toBe(true);
    expect(paths()).toEqual(['both', 'webrtc']);
  });

  test('no PeerConnection is made for the WebSocket; who comes later comes over it', () => {
    const mic = trackOf('ann', 'mic', 'audio');
    const { upgrade, sent, hear, carry, up, opened } = stage([mic]);
    hear({ type: 'rtcForce', path: 'websocket' }, 0);
    upgrade.joined(undefined, 0);
    upgrade.tick(60_000);
    expect(opened()).toBe(0);
    hear({ type: 'rtcForce', path: 'any' }, 60_000);
    up(60_000);
    hear({ type: 'rtcForce', path: 'websocket' }, 62_000);
    carry('0', mic, 62_100);
    expect(sent.at(-1)).toEqual({ type: 'rtcPath', member: 'ann', path: 'websocket' });
  });
});

test('without WebRTC nothing is tried, and why is said', () => {
  const { upgrade, posted } = stage([]);
  upgrade.joined('server', 0);
  upgrade.tick(100_000);
  expect(posted).toEqual([]);
  expect(upgrade.why).toBe('server');
});
