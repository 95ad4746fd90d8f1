import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeMedia, FakeFrame, frame, unclosed } from '../fake-media';
import { RateController } from '../send/rate';
import { Sending } from '../send/sending';
import type { OutFrame } from '../send/uplink';
import { JOINED } from '../session/fake';
import { parseServer } from '../wire/messages';
import type { Joined } from '../wire/messages';
import { parseBinary } from '../wire/wire';
import type { FileStreamWhy } from './api';
import type { MediaFile, MediaTrack, Piece } from './media-file';
import { Playing } from './playing';

interface Given {
  /** ms of the member's clock, from the beginning. */
  at: number;
  kind: string;
  /** ms of the file, and by the member's clock. */
  us: number;
}

let given: Given[];
let over: FileStreamWhy | undefined;
let read: number[];
let start: number;

beforeEach(() => {
  vi.useFakeTimers();
  fakeMedia('take');
  given = [];
  over = undefined;
  read = [];
  start = performance.now();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const MS = 1_000;

/** A track with a piece each so many ms; read[i] counts what was read of it. */
function track(i: number, kind: MediaTrack['kind'], every: number, length: number, carried = true): MediaTrack {
  read[i] = 0;
  async function* pieces(offset: number): AsyncGenerator<Piece> {
    for (let ms = 0; ms < length; ms += every) {
      read[i]!++;
      const timed = { us: ms * MS + offset, duration: every * MS };
      if (carried) yield { ...timed, frame: { data: Uint8Array.of(ms & 255), key: ms === 0 || kind === 'audio' } };
      else yield { ...timed, data: frame<VideoFrame>(ms * MS + offset) };
    }
  }
  return { kind, codec: 'x', carried: carried ? { codec: 'vp8', format: { codecString: 'vp8' } } : undefined, pieces };
}

const since = (): number => Math.round(performance.now() - start);

function play(tracks: MediaTrack[], { loop = false, waiting = (): boolean => false } = {}): Playing {
  const file: MediaFile = { duration: 0, tracks, leftOut: [], close: () => undefined };
  const outlets = tracks.map(({ kind }) => ({
    frame: ({ timestamp }: OutFrame) => void given.push({ at: since(), kind, us: Math.round(timestamp / MS - start) }),
    decoded: (data: VideoFrame | AudioData, clock: { toMember(us: number): number }) => {
      given.push({ at: since(), kind, us: Math.round(clock.toMember(data.timestamp) / MS - start) });
      data.close();
    },
    get waiting() {
      return waiting();
    },
  }));
  const playing = new Playing(file, outlets, loop, {
    at: () => undefined,
    over: (why) => {
      over = why;
      playing.close();
    },
    faultOf: (error) => ({ code: 'unreadable', text: String(error) }),
  });
  return playing;
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('a file that is played', () => {
  test('comes at the pace of its timestamps, of all tracks by one clock', async () => {
    play([track(0, 'video', 40, 400), track(1, 'audio', 20, 400)]);
    await pass(1_000);
    expect(given.filter(({ kind }) => kind === 'video')).toHaveLength(10);
    expect(given.filter(({ kind }) => kind === 'audio')).toHaveLength(20);
    for (const { at, us } of given) expect(Math.abs(at - us)).toBeLessThanOrEqual(2);
    expect(over).toEqual({ code: 'finished', text: '' });
  });

  test('is read a second ahead, and no more; of decoded pictures four', async () => {
    const playing = play([track(0, 'video', 40, 60_000, false), track(1, 'audio', 20, 60_000)]);
    await pass(2_000);
    expect(read[1]! - given.filter(({ kind }) => kind === 'audio').length).toBeLessThanOrEqual(51);
    expect(read[0]! - given.filter(({ kind }) => kind === 'video').length).toBeLessThanOrEqual(5);
    playing.close();
    await pass(10);
    expect(unclosed()).toBe(0);
  });

  test('does not begin before there is something of each track', async () => {
    const slow = track(0, 'video', 40, 400);
    async function* pieces(offset: number): AsyncGenerator<Piece> {
      await new Promise((go) => setTimeout(go, 700));
      yield* track(0, 'video', 40, 400).pieces(offset);
    }
    play([{ ...slow, pieces }, track(1, 'audio', 20, 400)]);
    await pass(690);
    expect(given).toEqual([]);
    await pass(50);
    expect(given.map(({ kind }) => kind).slice(0, 2)).toEqual(['video', 'audio']);
  });

  test('begins anew in a loop, without a gap', async () => {
    const playing = play([track(0, 'video', 40, 400), track(1, 'audio', 20, 380)], { loop: true });
    await pass(1_150);
    const times = given.filter(({ kind }) => kind === 'video').map(({ us }) => us - given[0]!.us);
    expect(times.slice(0, 28)).toEqual(Array.from({ length: 28 }, (_, i) => 40 * i));
    playing.close();
  });

  test('ends when the link has all of it', async () => {
    let waits = true;
    play([track(0, 'audio', 20, 200)], { waiting: () => waits });
    await pass(500);
    expect(over).toBeUndefined();
    waits = false;
    await pass(50);
    expect(over?.code).toBe('finished');
  });

  test('ends in the end where the link takes nothing', async () => {
    play([track(0, 'audio', 20, 200)], { waiting: () => true });
    await pass(7_000);
    expect(over?.code).toBe('finished');
  });

  test('breaks off when it cannot be read any more', async () => {
    async function* pieces(): AsyncGenerator<Piece> {
      yield { us: 0, duration: 20_000, frame: { data: Uint8Array.of(1), key: true } };
      throw new Error('gone');
    }
    play([{ ...track(0, 'audio', 20, 200), pieces }]);
    await pass(10);
    expect(over).toEqual({ code: 'unreadable', text: 'Error: gone' });
  });

  test('that holds nothing is over at once', async () => {
    play([track(0, 'video', 40, 0)]);
    await pass(100);
    expect(over?.code).toBe('finished');
  });

  test('stands still, and goes on where it was', async () => {
    const playing = play([track(0, 'audio', 20, 2_000)]);
    await pass(290);
    playing.pause();
    const before = given.length;
    await pass(3_000);
    expect(given.length).toBe(before);
    playing.resume();
    await pass(200);
    expect(given.length - before).toBe(10);
    for (const { at, us } of given) expect(Math.abs(at - us)).toBeLessThanOrEqual(2);
    playing.close();
  });

  test('shows its decoded picture again while it stands still, for those who come then', async () => {
    const playing = play([track(0, 'video', 40, 2_000, false)]);
    await pass(290);
    playing.pause();
    const before = given.length;
    await pass(3_000);
    expect(given.length - before).toBe(6);
    for (const { at, us } of given.slice(before)) expect(Math.abs(at - us)).toBeLessThanOrEqual(2);
    playing.close();
    await pass(10);
    expect(unclosed()).toBe(0);
    expect(FakeFrame.all.length).toBeGreaterThan(10);
  });
});

describe('the tracks of a file', () => {
  let linked: boolean;
  let sent: Record<string, unknown>[];
  let chunks: { key: boolean; frame: number; timestamp: number }[];

  function sending(): Sending {
    linked = true;
    sent = [];
    chunks = [];
    const link = {
      room: 1_000_000,
      rate: new RateController(),
      sendBinary: (data: Uint8Array) => {
        const message = parseBinary(data);
        if (message.kind === 'chunk') chunks.push(message);
      },
    };
    return new Sending({
      send: (message) => sent.push(message as never) > 0,
      data: { waiting: false, run: () => undefined },
      objects: { waiting: false, take: () => undefined },
      sendBinary: () => undefined,
      nextReq: () => 1,
      link: () => (linked ? (link as never) : undefined),
      post: () => undefined,
      ownLevel: () => undefined,
      tracksChanged: () => undefined,
    });
  }

  const format = { codecString: 'vp8', width: 320, height: 180 };
  const wire = { id: 'file', kind: 'video', source: 'file', codec: 'vp8', ...format, layers: [{ alias: 5 }] };
  const accept = (all: Sending): boolean => all.control(parseServer(JSON.stringify({ type: 'published', req: 1, tracks: [wire] }))!);
  const out = (ms: number, key = false): OutFrame => ({ data: Uint8Array.of(1), key, config: false, timestamp: ms * MS });

  test('say that no key frame can be had where frames go as they are', () => {
    const all = sending();
    all.publishFile('file', 'video', { codec: 'vp8', format }, () => undefined);
    expect(sent).toMatchObject([{ type: 'publish', tracks: [{ id: 'file', source: 'file', codec: 'vp8', keyOnRequest: false, width: 320 }] }]);
    all.frame('file', out(0, true));
    expect(all.waits('file')).toBe(true);
    accept(all);
    expect(all.waits('file')).toBe(false);
    expect(chunks).toMatchObject([{ key: true, frame: 0 }]);
    all.close();
  });

  test('never send a delta behind a frame that was lost', () => {
    const all = sending();
    all.publishFile('file', 'video', { codec: 'vp8', format }, () => undefined);
    accept(all);
    all.frame('file', out(0, true));
    all.frame('file', out(40));
    linked = false;
    all.lost();
    all.frame('file', out(80));
    linked = true;
    all.joined(parseServer(JSON.stringify({ ...JOINED, self: { ...JOINED.self, tracks: [wire] } })) as Joined);
    all.frame('file', out(120));
    all.frame('file', out(160, true));
    all.frame('file', out(200));
    expect(chunks.map(({ timestamp }) => timestamp / MS)).toEqual([0, 40, 160, 200]);
    expect(all.stats().drops).toMatchObject({ lost: 1, gate: 1 });
    all.close();
  });

  test('are over when the relay refuses them', () => {
    const all = sending();
    let why: FileStreamWhy | undefined;
    all.publishFile('file', 'video', { codec: 'vp8', format }, (refused) => (why = refused));
    all.control(parseServer(JSON.stringify({ type: 'error', req: 1, code: 'no-grant', text: 'not allowed' }))!);
    expect(why).toEqual({ code: 'no-grant', text: 'not allowed' });
    all.close();
  });
});
