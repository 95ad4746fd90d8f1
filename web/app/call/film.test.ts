import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileStreamError } from '../../sdk/api';
import type { FileStream } from '../../sdk';
import { Film } from './film';
import { filmProblem, missingText } from './film-words';

class FakeStream {
  state: FileStream['state'] = 'playing';
  why: FileStream['why'];
  readonly tracks: FileStream['tracks'] = [{ kind: 'video', codec: 'vp8', untouched: true }];
  readonly leftOut: FileStream['leftOut'] = [];
  stopped = 0;
  private handler: () => void = () => undefined;

  on(_event: 'change', handler: () => void): () => void {
    this.handler = handler;
    return () => undefined;
  }

  pause(): void {
    this.becomes('paused');
  }

  resume(): void {
    this.becomes('playing');
  }

  stop(): void {
    this.stopped++;
  }

  becomes(state: FileStream['state'], why?: FileStream['why']): void {
    this.state = state;
    this.why = why;
    this.handler();
  }
}

let streams: (FakeStream | FileStreamError)[];
let told: string[];
let film: Film;
const file = { name: 'a.webm' } as File;

beforeEach(() => {
  vi.stubGlobal('URL', { createObjectURL: () => `blob:${told.length}`, revokeObjectURL: (address: string) => told.push(`forgot ${address}`) });
  streams = [];
  told = [];
  const streamFile = (): Promise<FileStream> => {
    const next = streams.shift()!;
    return next instanceof FileStreamError ? Promise.reject(next) : Promise.resolve(next as unknown as FileStream);
  };
  film = new Film({ streamFile }, { said: (news) => told.push(news), failed: (text) => told.push(`! ${text}`) });
});

afterEach(() => vi.unstubAllGlobals());

describe('Film', () => {
  it('plays a file, pauses it, and forgets it when it is over', async () => {
    const stream = new FakeStream();
    streams.push(stream);
    await film.play(file);
    expect(film.store.get()).toMatchObject({ opening: false, on: { name: 'a.webm', picture: true, heard: true } });
    film.toggle();
    expect(stream.state).toBe('paused');
    film.toggle();
    expect(stream.state).toBe('playing');
    stream.becomes('over', { code: 'finished', text: '' });
    expect(film.store.get().on).toBeUndefined();
    expect(told).toEqual(['a.webm is streamed to everyone.', 'forgot blob:0', 'a.webm is over.']);
  });

  it('plays another one in its place, and does not mind how the first one ends', async () => {
    const [first, second] = [new FakeStream(), new FakeStream()];
    streams.push(first, second);
    await film.play(file);
    await film.play({ name: 'b.webm' } as File);
    expect(first.stopped).toBe(1);
    first.becomes('over', { code: 'stopped', text: '' });
    expect(film.store.get().on?.name).toBe('b.webm');
  });

  it('says why a file cannot be streamed, or broke off', async () => {
    streams.push(new FileStreamError({ code: 'empty', text: 'the file is empty' }));
    await film.play(file);
    expect(told.pop()).toMatch(/^! “a.webm” cannot be streamed: the file is empty/);
    expect(film.store.get()).toEqual({ opening: false, on: undefined });
    const stream = new FakeStream();
    streams.push(stream);
    await film.play(file);
    stream.becomes('over', { code: 'unreadable', text: 'gone' });
    expect(told.pop()).toMatch(/^! “a.webm” cannot be streamed: it could not be read/);
  });

  it('stops what was opened while the call ended', async () => {
    const stream = new FakeStream();
    streams.push(stream);
    const playing = film.play(file);
    film.close();
    await playing;
    expect(stream.stopped).toBe(1);
    expect(told).toEqual([]);
  });
});

it.each(['empty', 'unknown-container', 'no-tracks', 'protected', 'cannot-decode', 'unreadable', 'not-loaded', 'no-grant', 'too-many-tracks'])('tells what to do about %s', (code) => {
  const text = filmProblem('a.mkv', new FileStreamError({ code, text: 'this browser does not decode hevc video' }));
  expect(text).toMatch(/^“a.mkv” cannot be streamed: .+[.?] ?[A-Z]?/);
  expect(text.split(/[.?:] /).length).toBeGreaterThan(2);
});

it('says what is missing of a file', () => {
  const [video, audio] = [{ kind: 'video' as const, codec: 'vp8', untouched: true }, { kind: 'audio' as const, codec: 'aac', untouched: false }];
  expect(missingText([video, audio], [])).toBe('');
  expect(missingText([video], [{ kind: 'audio', codec: 'ac3', code: 'cannot-decode' }])).toBe('Its sound is in a format that this browser does not decode (ac3): only the picture is streamed.');
  expect(missingText([audio], [{ kind: 'video', codec: '', code: 'protected' }])).toBe('Its picture is copy-protected: only the sound is streamed.');
});
