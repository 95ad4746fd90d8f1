import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CloseReason, RoomState } from '../api';
import { FakeNetwork, JOINED } from './fake';
import type { FakeSocket } from './fake';
import { Session } from './session';

let network: FakeNetwork;
let session: Session;
let states: (RoomState | CloseReason)[];
let joins: boolean[];
let losses: number;
let features: string[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  network = new FakeNetwork();
  states = [];
  joins = [];
  losses = 0;
  features = [];
  session = new Session(
    { url: 'ws://relay/ws', room: 'kitchen', name: 'Ann', token: 'secret', decode: ['opus', 'vp8'], receive: true },
    {
      state: (state, reason) => states.push(state, ...(reason ? [reason] : [])),
      welcomed: (list) => (features = list),
      joined: (m) => joins.push(m.resumed),
      control: () => {},
      media: () => {},
      acked: () => {},
      lost: () => losses++,
      offers: () => [],
      chatAtUs: 0,
      backlogMs: () => 0,
    },
    network.make,
  );
  session.start();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function advance(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

async function enter(): Promise<FakeSocket> {
  await advance(0);
  const socket = network.last;
  socket.open();
  socket.say(JOINED);
  return socket;
}

test('what the relay can do is told before it has let us in', async () => {
  await advance(0);
  network.last.open();
  network.last.say({ type: 'welcome', version: 1, features: ['topics', 'layers'] });
  expect(features).toEqual(['topics', 'layers']);
  expect(joins).toEqual([]);
});

/** Opens the newest attempt and answers its join. */
function resume(message: object = { ...JOINED, resumed: true, resume: 'r-2' }): FakeSocket {
  const socket = network.last;
  socket.open();
  socket.say(message);
  return socket;
}

describe('join', () => {
  test('hello and join go out together, with the standing subscription', async () => {
    await advance(0);
    network.last.open();
    expect(network.last.types).toEqual(['hello', 'join']);
    expect(network.last.control[1]).toMatchObject({ room: 'kitchen', name: 'Ann', token: 'secret', subscribe: [{ member: '' }] });
    network.last.say(JOINED);
    expect(states).toEqual(['online']);
  });

  test('a refused token ends it with the code of the relay', async () => {
    await advance(0);
    network.last.open();
    network.last.drop(4400, 'bad-token: signed by nobody');
    await advance(30_000);
    expect(states).toEqual(['closed', { code: 'bad-token', text: 'signed by nobody' }]);
    expect(network.sockets.length).toBe(1);
  });

  test('a relay that does not answer is unreachable after 10 s', async () => {
    await advance(10_500);
    expect(states).toEqual(['closed', { code: 'unreachable', text: 'the relay does not answer' }]);
    expect(network.sockets.length).toBeGreaterThan(3);
    expect(network.sockets.every((s) => s.closedWith !== undefined)).toBe(true);
  });
});

describe('a lost socket', () => {
  test('is resumed at once, and the room goes on', async () => {
    const first = await enter();
    first.drop(1006);
    expect(states).toEqual(['online', 'reconnecting']);
    await advance(0);
    const second = resume();
    expect(second.control[1]).toMatchObject({ type: 'join', resume: 'r-1', token: '' });
    expect(states).toEqual(['online', 'reconnecting', 'online']);
    expect(joins).toEqual([false, true]);
    expect(losses).toBe(1);
    expect(session.reconnects).toBe(1);
  });

  test('attempts that fail are repeated after 0, 0.25, 0.5, 1, 1 s (half of the random waits)', async () => {
    const first = await enter();
    first.drop(1006);
    const at: number[] = [];
    const start = performance.now();
    for (let i = 0; i < 5; i++) {
      const known = network.sockets.length;
      while (network.sockets.length === known) await advance(10);
      at.push(Math.round((performance.now() - start) / 10) * 10);
      network.last.drop(1006);
    }
    const gaps = at.map((t, i) => t - (at[i - 1] ?? 0));
    expect(gaps.map((g) => Math.round(g / 50) * 50)).toEqual([0, 250, 500, 1_000, 1_000]);
  });

  test('a relay that started anew refuses the resume; the member joins again with token and name', async () => {
    const first = await enter();
    first.drop(4000, 'restart: draining');
    await advance(0);
    const second = network.last;
    second.open();
    second.say({ type: 'error', code: 'resume-refused', text: 'unknown' });
    expect(second.types).toEqual(['hello', 'join', 'join']);
    expect(second.control[2]).toMatchObject({ name: 'Ann', token: 'secret', resume: '', subscribe: [{ member: '' }] });
    second.say({ ...JOINED, resume: 'r-9' });
    expect(joins).toEqual([false, false]);
    expect(states.at(-1)).toBe('online');
  });

  test('the relay says when to come back', async () => {
    const first = await enter();
    first.say({ type: 'bye', reason: 'restart', retryMs: 500 });
    first.drop(4000, 'restart: draining');
    await advance(700);
    expect(network.sockets.length).toBe(1);
    await advance(100);
    expect(network.sockets.length).toBe(2);
  });

  test.each([
    [4403, 'replaced: joined from elsewhere', 'replaced'],
    [4410, 'flood: pings', 'flood'],
    [1008, '', 'close-1008'],
    [1000, '', 'closed'],
  ])('%i is final', async (code, reason, name) => {
    const first = await enter();
    first.drop(code, reason);
    await advance(60_000);
    expect(states.at(-1)).toMatchObject({ code: name });
    expect(network.sockets.length).toBe(1);
  });

  test('a full room is told to who has not been in it', async () => {
    await advance(0);
    const first = network.last;
    first.open();
    first.drop(4101, 'room-full: 2000 members');
    await advance(60_000);
    expect(states.at(-1)).toMatchObject({ code: 'room-full' });
    expect(network.sockets.length).toBe(1);
  });

  test('a full room is tried again after 5 s or more, not before', async () => {
    const first = await enter();
    first.drop(4101, 'room-full: 2000 members');
    await advance(4_900);
    expect(network.sockets.length).toBe(1);
    await advance(1_500);
    expect(network.sockets.length).toBe(2);
  });
});

describe('silence', () => {
  test('with something unacknowledged: after 1.5 s a second connection is tried beside the first', async () => {
    const first = await enter();
    first.ack();
    await advance(1_000);
    session.send({ type: 'chat', text: 'hello' });
    await advance(1_400);
    expect(network.sockets.length).toBe(1);
    await advance(500);
    expect(network.sockets.length).toBe(2);
    expect(states.at(-1)).toBe('reconnecting');
    expect(first.closedWith).toBeUndefined();
  });

  test('the old connection speaks again before the new one has joined: the new one is dropped', async () => {
    const first = await enter();
    session.send({ type: 'chat', text: 'hello' });
    await advance(2_000);
    const second = network.last;
    first.ack();
    second.open();
    expect(second.types).toEqual([]);
    expect(second.closedWith).toBeDefined();
    expect(states.at(-1)).toBe('online');
    expect(losses).toBe(0);
    await advance(1_000);
    expect(network.sockets.length).toBe(2);
  });

  test('the new connection joins first: it takes over, whatever the old one says', async () => {
    const first = await enter();
    session.send({ type: 'chat', text: 'hello' });
    await advance(2_000);
    network.last.open();
    first.ack();
    await advance(300);
    network.last.say({ ...JOINED, resumed: true, resume: 'r-2' });
    expect(first.closedWith).toBeDefined();
    expect(session.reconnects).toBe(1);
    expect(states.at(-1)).toBe('online');
  });

  test('the relay closes the old connection before it answers on the new one: that is no end', async () => {
    const first = await enter();
    session.send({ type: 'chat', text: 'hello' });
    await advance(2_000);
    network.last.open();
    first.drop(4403, 'replaced: this session was resumed on another connection');
    expect(states.at(-1)).toBe('reconnecting');
    network.last.say({ ...JOINED, resumed: true, resume: 'r-2' });
    expect(states.at(-1)).toBe('online');
    expect(losses).toBe(1);
  });

  test('attempts that do not open are given up after 3 s, a new one comes every second, never more than three', async () => {
    const first = await enter();
    session.send({ type: 'chat', text: 'hello' });
    await advance(2_000);
    for (let i = 0; i < 6; i++) {
      await advance(1_000);
      const open = network.sockets.filter((s) => s !== first && s.closedWith === undefined);
      expect(open.length).toBeLessThanOrEqual(3);
    }
    expect(network.sockets.length).toBeGreaterThanOrEqual(6);
    expect(network.sockets[1]!.closedWith).toBeDefined();
  });

  test('a quiet room is no silence while the relay speaks every 3 s; 5 s without a word are', async () => {
    const first = await enter();
    first.ack();
    for (let i = 0; i < 5; i++) {
      await advance(3_000);
      first.ack();
    }
    expect(network.sockets.length).toBe(1);
    await advance(4_800);
    expect(network.sockets.length).toBe(1);
    await advance(500);
    expect(network.sockets.length).toBe(2);
  });

  test('10 s of it close the old connection', async () => {
    const first = await enter();
    await advance(10_500);
    expect(first.closedWith).toBeDefined();
    expect(losses).toBe(1);
    expect(session.online).toBe(false);
  });

  test('the network is back: an attempt is made at once, and dropped when the old connection still speaks', async () => {
    const first = await enter();
    first.ack();
    await advance(1_000);
    session.kick();
    expect(network.sockets.length).toBe(2);
    await advance(50);
    first.ack();
    network.last.open();
    expect(network.last.types).toEqual([]);
    expect(states).toEqual(['online']);
  });
});

test('leave says bye and waits for the relay', async () => {
  const first = await enter();
  let left = false;
  void session.leave().then(() => (left = true));
  expect(first.types.at(-1)).toBe('bye');
  await advance(100);
  expect(left).toBe(false);
  first.drop(1000);
  await advance(0);
  expect(left).toBe(true);
  expect(states.at(-1)).toEqual({ code: 'left', text: '' });
});
