import { describe, expect, it } from 'vitest';
import { claimToken, lendToken, linkOfRoom, pathOfRecording, pathOfRoom, recordingOfPath, recordingRoom, roomOfPath, splitToken, tokenFor, transportOf } from './route';

describe('room addresses', () => {
  it('reads the room of a path', () => {
    expect(roomOfPath('/r/kitchen')).toBe('kitchen');
    expect(roomOfPath('/r/kitchen/')).toBe('kitchen');
    expect(roomOfPath('/r/K%C3%BCche')).toBe('Küche');
  });

  it('takes other paths for the start page', () => {
    for (const path of ['/', '/r/', '/r/a/b', '/rooms/a', '']) expect(roomOfPath(path)).toBeUndefined();
  });

  it('survives a broken percent sign', () => {
    expect(roomOfPath('/r/100%')).toBe('100%');
  });

  it('makes a path that reads back as the same room', () => {
    for (const room of ['kitchen', 'a.b_c~d-e', 'x/y', '100%']) expect(roomOfPath(pathOfRoom(room))).toBe(room);
  });
});

describe('addresses of recordings', () => {
  it('makes a path that reads back as the same recording', () => {
    for (const id of ['20261129-101500-kitchen-0f3a9c21', '20261129-101500-a.b_c~d-0f3a9c21']) expect(recordingOfPath(pathOfRecording(id))).toBe(id);
  });

  it('takes other paths for none', () => {
    for (const path of ['/', '/r/kitchen', '/recordings', '/recordings/', '/recordings/a/b']) expect(recordingOfPath(path)).toBeUndefined();
    expect(roomOfPath('/recordings/a')).toBeUndefined();
  });
});

describe('splitToken', () => {
  it('finds the token alone or among others', () => {
    expect(splitToken('#token=abc.def')).toEqual({ token: 'abc.def', rest: '' });
    expect(splitToken('#a=1&token=abc&b=2')).toEqual({ token: 'abc', rest: '#a=1&b=2' });
    expect(splitToken('#token=a%2Bb')).toEqual({ token: 'a+b', rest: '' });
  });

  it('leaves fragments without a token alone', () => {
    expect(splitToken('')).toEqual({ token: undefined, rest: '' });
    expect(splitToken('#section')).toEqual({ token: undefined, rest: '#section' });
    expect(splitToken('#token=')).toEqual({ token: undefined, rest: '' });
  });
});

describe('claimToken', () => {
  function page(pathname: string, hash: string) {
    const kept = new Map<string, string>();
    const addresses: string[] = [];
    const box = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    const history = { state: null, replaceState: (_: unknown, __: string, url?: string | URL | null) => void addresses.push(String(url)) };
    return { page: { location: { pathname, hash, search: '?x=1' }, history }, box, addresses };
  }

  it('takes the token out of the address bar and keeps it for the room', () => {
    const { page: window, box, addresses } = page('/r/kitchen', '#token=secret');
    claimToken(window, box);
    expect(addresses).toEqual(['/r/kitchen?x=1']);
    expect(tokenFor('kitchen', box)).toBe('secret');
    expect(tokenFor('cellar', box)).toBeUndefined();
  });

  it('uses a token of the start page for any room that has none of its own', () => {
    const { page: window, box } = page('/', '#token=all');
    claimToken(window, box);
    box.setItem('landline.token cellar', 'own');
    expect(tokenFor('kitchen', box)).toBe('all');
    expect(tokenFor('cellar', box)).toBe('own');
  });

  it('keeps a token that came with a recording for that alone', () => {
    const { page: window, box } = page('/recordings/r-1', '#token=secret');
    claimToken(window, box);
    expect(tokenFor(recordingRoom('r-1'), box)).toBe('secret');
    expect(tokenFor('kitchen', box)).toBeUndefined();
  });

  it('lends the token of a room to a recording of it', () => {
    const { page: window, box } = page('/r/kitchen', '#token=secret');
    lendToken('kitchen', 'r-1', box);
    expect(tokenFor(recordingRoom('r-1'), box)).toBeUndefined();
    claimToken(window, box);
    lendToken('kitchen', 'r-1', box);
    expect(tokenFor(recordingRoom('r-1'), box)).toBe('secret');
  });

  it('does not touch the address when there is none', () => {
    const { page: window, box, addresses } = page('/r/kitchen', '#top');
    claimToken(window, box);
    expect(addresses).toEqual([]);
  });

  it('asks for WebRTC where the address does', () => {
    expect(['', '?transport=auto', '?transport=ws', '?transport=udp'].map(transportOf)).toEqual(['ws', 'auto', 'ws', 'ws']);
  });

  it('never puts a token into the link to share', () => {
    expect(linkOfRoom('https://call.example', 'kitchen')).toBe('https://call.example/r/kitchen');
  });
});
