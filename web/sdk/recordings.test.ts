import { expect, test } from 'vitest';
import { RecordingsError } from './api';
import { RelayRecordings } from './recordings';

interface Asked {
  method: string;
  url: string;
  bearer: string | undefined;
  body: unknown;
}

/** A relay that answers all with this, and what it was asked. */
function relay(answer: () => Response | Promise<Response>, token = 'tkn') {
  const asked: Asked[] = [];
  const fetcher = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const headers = init?.headers as Record<string, string>;
    asked.push({ method: init?.method ?? '', url: String(url), bearer: headers['Authorization'], body: init?.body === undefined ? undefined : JSON.parse(String(init.body)) });
    return answer();
  };
  return { asked, recordings: new RelayRecordings('https://relay.example/api/', 'the.room', token, fetcher as typeof fetch) };
}

const json = (value: unknown, status = 200): Response => new Response(JSON.stringify(value), { status });

test('lists those of the room', async () => {
  const wire = { id: 'x', room: 'the.room', state: 'saved', began: '2026-11-28T20:00:00Z', durationMs: 4_000, bytes: 10, files: [{ name: 'x.webm', bytes: 10, tracks: [] }], more: 1 };
  const { asked, recordings } = relay(() => json({ recordings: [wire, { ...wire, id: 'y', files: null }] }));
  expect(await recordings.list()).toEqual([
    { id: 'x', room: 'the.room', title: '', state: 'saved', why: '', byName: '', began: Date.UTC(2026, 10, 28, 20), length: 4_000, bytes: 10, files: [{ name: 'x.webm', bytes: 10 }] },
    expect.objectContaining({ id: 'y', files: [] }),
  ]);
  expect(asked).toEqual([{ method: 'GET', url: 'https://relay.example/api/recordings?room=the.room', bearer: 'Bearer tkn', body: undefined }]);
});

test('plays into the room, changes and ends that', async () => {
  const { asked, recordings } = relay(() => json({}), '');
  await recordings.play('x', { position: 1_200.6, loop: true });
  await recordings.play('x', { next: ['y'] });
  await recordings.change({ playing: false });
  await recordings.change({ next: ['y', 'z'], skip: true });
  await recordings.change({ position: -3, loop: false });
  await recordings.stop();
  await recordings.remove('x/y');
  expect(asked.map(({ method, url, body }) => [method, url.replace('https://relay.example/api/', ''), body])).toEqual([
    ['PUT', 'playback/the.room', { recording: 'x', positionMs: 1_201, paused: false, loop: true }],
    ['PUT', 'playback/the.room', { recording: 'x', positionMs: 0, paused: false, loop: false, next: ['y'] }],
    ['PATCH', 'playback/the.room', { playing: false }],
    ['PATCH', 'playback/the.room', { next: ['y', 'z'], skip: true }],
    ['PATCH', 'playback/the.room', { loop: false, positionMs: 0 }],
    ['DELETE', 'playback/the.room', undefined],
    ['DELETE', 'recordings/x%2Fy', undefined],
  ]);
  expect(asked.every(({ bearer }) => bearer === undefined)).toBe(true);
});

test('downloads a file piece by piece', async () => {
  const stream = () => new ReadableStream({ start: (c) => (c.enqueue(new Uint8Array(3)), c.enqueue(new Uint8Array(4)), c.close()) });
  const { recordings } = relay(() => new Response(stream(), { headers: { 'Content-Type': 'video/webm' } }));
  const seen: number[] = [];
  const blob = await recordings.download('x', 2, (n) => seen.push(n));
  expect([blob.size, blob.type, seen]).toEqual([7, 'video/webm', [3, 7]]);
});

test('tells what the relay says against it, and when it cannot be reached', async () => {
  const refusing = relay(() => new Response('the recording goes on\n', { status: 409 }));
  await expect(refusing.recordings.play('x')).rejects.toEqual(new RecordingsError(409, 'the recording goes on'));
  const gone = relay(() => Promise.reject(new TypeError('fetch failed')));
  const error = await gone.recordings.list().catch((e: unknown) => e);
  expect(error).toBeInstanceOf(RecordingsError);
  expect((error as RecordingsError).status).toBe(0);
});

/** The beginning of a file that the relay looks into itself. */
const FILM = new Uint8Array([0x1a, 0x45, 0xdf, 0xa3, 1]);

/** A request that answers with this once it is sent. */
function requesting(status: number, responseText: string) {
  const asked: string[] = [];
  const request = {
    upload: {} as { onprogress: (event: { loaded: number }) => void },
    onload: () => undefined,
    onerror: () => undefined,
    status,
    responseText,
    statusText: '',
    open: (...args: string[]) => asked.push(args.join(' ')),
    setRequestHeader: (...args: string[]) => asked.push(args.join(': ')),
    send: () => (request.upload.onprogress({ loaded: 3 }), status ? request.onload() : request.onerror()),
  };
  const recordings = new RelayRecordings('https://relay.example/api/', 'hall', 'tkn', fetch, () => request as unknown as XMLHttpRequest);
  return { asked, recordings };
}

test('adds a file, and tells how much has gone', async () => {
  const { asked, recordings } = requesting(201, '{"id":"x"}');
  const seen: number[] = [];
  expect(await recordings.add(new Blob([FILM]), 'A film', { sent: (...n) => seen.push(...n) })).toBe('x');
  expect([asked, seen]).toEqual([['POST https://relay.example/api/recordings/upload?room=hall&title=A+film', 'Authorization: Bearer tkn'], [3, 5]]);
  await expect(requesting(415, 'malformed container\n').recordings.add(new Blob([FILM]), '')).rejects.toEqual(new RecordingsError(415, 'malformed container'));
  await expect(requesting(0, '').recordings.add(new Blob([FILM]), '')).rejects.toEqual(new RecordingsError(0, 'the server cannot be reached'));
});

test('converts nothing that is no media file, and sends nothing of it', async () => {
  const { asked, recordings } = requesting(201, '{"id":"x"}');
  await expect(recordings.add(new Blob(['no film at all']), '')).rejects.toEqual(new RecordingsError(415, 'it is no media file that this browser can read'));
  expect(asked).toEqual([]);
});
