import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordingsError } from '../../sdk/api';
import type { AddOptions, RecordingEntry, Recordings } from '../../sdk/api';
import { MAX_DOWNLOAD, RecordingList, titleOf } from './recordings';

const entry = (id: string, more: Partial<RecordingEntry> = {}): RecordingEntry => ({
  id, room: 'kitchen', title: '', state: 'saved', why: '', byName: '', began: 0, length: 1_000, bytes: 3, files: [{ name: `${id}.webm`, bytes: 3 }], ...more,
});

let entries: RecordingEntry[];
let relay: { [K in keyof Recordings]: ReturnType<typeof vi.fn> };
let said: string[];
let saved: [string, number][];
let list: RecordingList;

beforeEach(() => {
  entries = [entry('a'), entry('b')];
  said = [];
  saved = [];
  relay = {
    list: vi.fn(async () => entries),
    play: vi.fn(async () => undefined),
    change: vi.fn(async () => undefined),
    stop: vi.fn(async () => undefined),
    remove: vi.fn(async (id: string) => void (entries = entries.filter((e) => e.id !== id))),
    add: vi.fn(async (_file: Blob, _title: string, { made, sent }: AddOptions) => (made?.(0.5), sent?.(2, 9), entries.push(entry('c')), 'c')),
    still: vi.fn(async (id: string) => (id === 'b' ? undefined : new Blob(['picture']))),
    download: vi.fn(async (_id: string, _part: number, progress: (n: number) => void) => {
      progress(2);
      return new Blob(['abc']);
    }),
  };
  list = new RecordingList(relay as unknown as Recordings, (text) => said.push(text), (file, name) => saved.push([name, file.size]));
});

const ids = (): string[] | undefined => list.store.get().lines?.map(({ id }) => id);

describe('the list', () => {
  it('is what the relay says', async () => {
    expect(ids()).toBeUndefined();
    await list.load();
    expect(ids()).toEqual(['a', 'b']);
    await list.remove('a');
    expect(ids()).toEqual(['b']);
  });

  it('has a picture of what there is one of, asks for each once, and lets go of it with the recording', async () => {
    let made = 0;
    const letGo = vi.fn();
    vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: () => `blob:${++made}`, revokeObjectURL: letGo }));
    entries.push(entry('c', { state: 'recording' }));
    await list.load();
    expect(list.store.get().lines?.map(({ still }) => still)).toEqual(['blob:1', undefined, undefined]);
    entries[2] = entry('c');
    await list.load();
    expect(list.store.get().lines?.map(({ still }) => still)).toEqual(['blob:1', undefined, 'blob:2']);
    expect(relay.still).toHaveBeenCalledTimes(3);
    await list.remove('a');
    expect(letGo.mock.calls).toEqual([['blob:1']]);
    list.close();
    expect(letGo).toHaveBeenCalledTimes(2);
  });

  it('tells why there is none, until there is one', async () => {
    relay.list.mockRejectedValueOnce(new RecordingsError(0, 'the server cannot be reached'));
    await list.load();
    expect(list.store.get()).toMatchObject({ lines: undefined, problem: expect.stringMatching(/cannot be reached/) });
    await list.load();
    expect(list.store.get()).toMatchObject({ problem: '' });
    expect(ids()).toEqual(['a', 'b']);
  });

  it('is that of the last answer asked for, whichever comes first', async () => {
    let late: (list: RecordingEntry[]) => void = () => undefined;
    relay.list.mockReturnValueOnce(new Promise((resolve) => (late = resolve)));
    const first = list.load();
    await list.load();
    late([entry('old')]);
    await first;
    expect(ids()).toEqual(['a', 'b']);
  });
});

describe('a file that is added', () => {
  it('shows how far it is, and is in the list then', async () => {
    const seen: unknown[] = [];
    list.store.watch(() => seen.push(list.store.get().adding));
    await list.add(new File(['abc'], 'A film.webm'));
    expect(relay.add.mock.calls[0]![1]).toBe('A film');
    const film = { name: 'A film.webm', made: 1, size: 3, sent: 0 };
    expect(seen.slice(0, 4)).toEqual([film, { ...film, made: 0.5 }, { ...film, sent: 2, size: 9 }, undefined]);
    expect(ids()).toEqual(['a', 'b', 'c']);
  });

  it('is told of when the relay does not take it', async () => {
    relay.add.mockRejectedValueOnce(new RecordingsError(415, 'malformed container'));
    await list.add(new File(['abc'], 'x.webm'));
    expect(said).toEqual(['The server says: malformed container.']);
    expect(list.store.get().adding).toBeUndefined();
  });

  it('is given up without a word when the person says so', async () => {
    relay.add.mockImplementationOnce((_file, _title, { signal }) => new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason))));
    const adding = list.add(new File(['abc'], 'x.mp4'));
    list.cancelAdding();
    await adding;
    expect([said, list.store.get().adding]).toEqual([[], undefined]);
  });

  it('has a title as people have names', () => {
    expect(['film.webm', 'a.b.mkv', '.webm', `${'é'.repeat(80)}.mkv`, 'a\u202eb\n.webm', 'no ending'].map(titleOf)).toEqual(['film', 'a.b', '', 'é'.repeat(64), 'ab', 'no ending']);
  });
});

describe('a download', () => {
  it('shows how far it is, and saves every file', async () => {
    entries = [entry('a', { bytes: 6, files: [{ name: 'a.webm', bytes: 3 }, { name: 'a.2.webm', bytes: 3 }] })];
    await list.load();
    const seen: (number | undefined)[] = [];
    list.store.watch(() => seen.push(list.store.get().lines![0]!.downloaded));
    await list.download(list.store.get().lines![0]!);
    expect(seen).toEqual([0, 2, 5, undefined]);
    expect(saved).toEqual([['a.webm', 3], ['a.2.webm', 3]]);
    expect(said).toEqual([]);
  });

  it('that is cut off is not saved', async () => {
    await list.load();
    relay.download.mockResolvedValueOnce(new Blob(['a']));
    await list.download(list.store.get().lines![0]!);
    expect(saved).toEqual([]);
    expect(said).toHaveLength(1);
    expect(list.store.get().lines![0]!.downloaded).toBeUndefined();
  });

  it('that a page cannot hold is left to the command line', async () => {
    entries = [entry('a', { bytes: MAX_DOWNLOAD + 1 })];
    await list.load();
    await list.download(list.store.get().lines![0]!);
    expect(relay.download).not.toHaveBeenCalled();
    expect(said[0]).toMatch(/landline recordings get a/);
  });
});

it('what the relay refuses is told', async () => {
  relay.play.mockRejectedValueOnce(new RecordingsError(403, 'no grant'));
  await list.play('a');
  expect(said).toEqual(['The server does not let you: no grant. Ask who runs it for a link that lets you record.']);
});
