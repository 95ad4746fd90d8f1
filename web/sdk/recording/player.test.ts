import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { JoinError } from '../api';
import type { OpenRecording } from './api';
import { FakeFile, film } from './fake-film';
import type { Frame } from './fake-film';
import { RecordingPlayer } from './player';

const TRACK = { kind: 'video' as const, codec: 'V_VP8', title: 'Ann · camera' };

/** One picture every 100 ms, a key frame every 2 s. */
function pictures(seconds: number, size = 1_000): Frame[][] {
  return Array.from({ length: seconds * 2 }, (_, i) => Array.from({ length: 5 }, (_, j) => ({ track: 1, at: i * 500 + j * 100, key: i % 4 === 0 && j === 0, size })));
}

/** Decodes at once. */
class FakeDecoder {
  static supported = true;
  static async isConfigSupported(): Promise<{ supported: boolean }> {
    return { supported: FakeDecoder.supported };
  }
  static readonly decoded: number[] = [];
  state = 'unconfigured';
  decodeQueueSize = 0;
  ondequeue: (() => void) | undefined;
  constructor(private readonly init: { output: (picture: unknown) => void }) {}
  configure(): void {
    this.state = 'configured';
  }
  decode({ timestamp }: { timestamp: number }): void {
    FakeDecoder.decoded.push(timestamp / 1_000);
    queueMicrotask(() => this.state === 'configured' && this.init.output({ timestamp, displayWidth: 640, displayHeight: 360, close: () => undefined }));
  }
  async flush(): Promise<void> {}
  close(): void {
    this.state = 'closed';
  }
}

/** A file that comes no further than this for now. */
class HeldFile extends FakeFile {
  limit = Infinity;
  private waiting: (() => void)[] = [];

  override async read(start: number, end: number): Promise<Uint8Array> {
    while (end > this.limit) await new Promise<void>((go) => this.waiting.push(go));
    return super.read(start, end);
  }

  release(limit: number): void {
    this.limit = limit;
    for (const go of this.waiting.splice(0)) go();
  }
}

let player: RecordingPlayer;
let drawn: number[];
const canvas = { width: 0, height: 0, getContext: () => ({ drawImage: ({ timestamp }: { timestamp: number }) => drawn.push(timestamp / 1_000) }) };

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const shown = (): number | undefined => drawn.at(-1);

async function open(files: FakeFile[], lengths: number[] = []): Promise<void> {
  const describe = async () => ({ files: lengths.map((length) => ({ length })) });
  player = await RecordingPlayer.open({ files, describe } as unknown as OpenRecording);
  files.forEach((_, i) => player.show(`${i}/1`, canvas as unknown as HTMLCanvasElement));
  await pass(50);
}

beforeEach(() => {
  vi.useFakeTimers();
  drawn = [];
  FakeDecoder.supported = true;
  FakeDecoder.decoded.length = 0;
  vi.stubGlobal('VideoDecoder', FakeDecoder);
  vi.stubGlobal('AudioDecoder', FakeDecoder);
  vi.stubGlobal('EncodedVideoChunk', class {
    readonly timestamp: number;
    constructor({ timestamp }: { timestamp: number }) {
      this.timestamp = timestamp;
    }
  });
  vi.stubGlobal('requestAnimationFrame', (next: () => void) => setTimeout(next, 16));
  vi.stubGlobal('cancelAnimationFrame', (id: number) => clearTimeout(id));
});

afterEach(() => {
  player.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('one file', () => {
  test('shows its first picture without being played, and then goes on in time', async () => {
    await open([new FakeFile(film([TRACK], pictures(20)))]);
    expect([player.state, player.position, player.length, drawn]).toEqual(['paused', 0, 19_920, [0]]);
    expect(player.pictures).toEqual([{ key: '0/1', name: 'Ann', track: 'camera', codec: 'vp8', width: 640, height: 360, broken: false }]);
    player.play();
    await pass(1_020);
    expect([player.state, Math.round(player.position), shown()]).toEqual(['playing', 1_020, 1_000]);
    expect(drawn).toEqual(Array.from({ length: 11 }, (_, i) => i * 100));
    player.pause();
    await pass(1_000);
    expect([player.state, Math.round(player.position), shown()]).toEqual(['paused', 1_020, 1_000]);
  });

  test('is read a little ahead, and not at all while it pauses', async () => {
    const file = new FakeFile(film([TRACK], pictures(60, 4_000)));
    await open([file]);
    const read = (): number => Math.max(...file.reads.map(([, end]) => end));
    const paused = read();
    expect(paused).toBeLessThan(file.size / 10);
    await pass(5_000);
    expect(read()).toBe(paused);
    expect(Math.max(...FakeDecoder.decoded)).toBeLessThan(1_000);
    player.play();
    await pass(10_000);
    expect(read()).toBeLessThan((file.size * 15) / 60);
  });

  test.each([0.5, 2])('goes at %d times the speed', async (speed) => {
    await open([new FakeFile(film([TRACK], pictures(20)))]);
    player.setSpeed(speed);
    player.play();
    await pass(2_020);
    expect([Math.round(player.position), shown()]).toEqual([2_020 * speed, 2_000 * speed]);
  });

  test('goes to another place, shows its picture and none on the way there, and stands still or plays on as before', async () => {
    await open([new FakeFile(film([TRACK], pictures(20)))]);
    for (const to of [13_790, 5_050, 19_000, 0]) {
      drawn = [];
      player.seek(to);
      await pass(50);
      expect([player.state, player.position, drawn]).toEqual(['paused', to, [Math.floor(to / 100) * 100]]);
    }
    player.play();
    player.seek(7_700);
    await pass(1_050);
    expect([player.state, shown()]).toEqual(['playing', 8_700]);
    player.seek(-50);
    player.seek(1e9);
    await pass(500);
    expect([player.state, player.position]).toEqual(['ended', player.length]);
  });

  test('ends, and begins anew when it is played again', async () => {
    await open([new FakeFile(film([TRACK], pictures(2)))]);
    player.play();
    await pass(2_500);
    expect([player.state, player.position, player.playing, shown()]).toEqual(['ended', player.length, false, 1_900]);
    player.play();
    await pass(500);
    expect(player.state).toBe('playing');
    expect(player.position).toBeLessThan(600);
  });

  test('waits for what does not come, and goes on where it was', async () => {
    const file = new HeldFile(film([TRACK], pictures(20, 4_000)));
    await open([file]);
    player.play();
    file.release(250_000);
    await pass(9_000);
    expect(player.state).toBe('buffering');
    const { position } = player;
    await pass(3_000);
    expect(player.position).toBe(position);
    file.release(Infinity);
    await pass(1_000);
    expect(player.state).toBe('playing');
    expect(player.position - position).toBeGreaterThan(800);
    expect(player.position - position).toBeLessThan(1_100);
  });

  test('tells when something but the position changes', async () => {
    await open([new FakeFile(film([TRACK], pictures(3)))]);
    const states: string[] = [];
    player.on('change', () => states.push(player.state));
    player.play();
    await pass(3_500);
    expect(states).toEqual(['playing', 'ended']);
  });
});

test('who goes elsewhere before it is open begins there', async () => {
  const file = new HeldFile(film([TRACK], pictures(20)));
  file.limit = 0;
  const opened = open([file]);
  await opened;
  player.seek(1_000);
  player.seek(7_770);
  await pass(50);
  file.release(Infinity);
  await pass(50);
  expect([player.state, player.position, drawn]).toEqual(['paused', 7_770, [7_700]]);
});

describe('what cannot be played', () => {
  test('is told where there are no decoders at all', async () => {
    vi.stubGlobal('VideoDecoder', undefined);
    delete (globalThis as { VideoDecoder?: unknown }).VideoDecoder;
    await expect(RecordingPlayer.open({ files: [] } as unknown as OpenRecording)).rejects.toMatchObject({ code: 'unsupported-browser' });
  });

  test('is told for that picture alone', async () => {
    FakeDecoder.supported = false;
    await open([new FakeFile(film([TRACK], pictures(5)))]);
    expect(player.pictures).toMatchObject([{ name: 'Ann', broken: true, codec: 'vp8' }]);
    expect([player.state, FakeDecoder.decoded]).toEqual(['paused', []]);
  });

  test('is told with a reason where it is the file', async () => {
    await open([new FakeFile(new TextEncoder().encode('this is no film'))]);
    expect([player.state, player.failure?.code]).toEqual(['failed', 'bad-file']);
  });

  test('and where it is the connection', async () => {
    const file = new FakeFile(film([TRACK], pictures(20, 4_000)));
    await open([file]);
    file.read = () => Promise.reject(new JoinError('unreachable', 'the relay does not answer'));
    player.seek(15_000);
    await pass(50);
    expect([player.state, player.failure]).toEqual(['failed', { code: 'unreachable', text: 'the relay does not answer' }]);
  });
});

test('several files follow each other, and a position is one of all of them', async () => {
  const files = [3, 2, 4].map((seconds) => new FakeFile(film([TRACK], pictures(seconds))));
  await open(files, [2_920, 1_920, 3_920]);
  expect(player.length).toBe(8_760);
  player.seek(2_800);
  player.play();
  await pass(1_000);
  expect(player.pictures.map(({ key }) => key)).toEqual(['1/1']);
  expect(player.position).toBeGreaterThan(3_600);
  player.seek(100);
  player.seek(8_000);
  player.seek(4_950);
  await pass(50);
  expect([player.pictures.map(({ key }) => key), shown()]).toEqual([['2/1'], 100]);
  await pass(5_000);
  expect([player.state, player.position]).toEqual(['ended', 8_760]);
});
