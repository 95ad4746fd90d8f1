import { describe, expect, it } from 'vitest';
import type { MemberInfo, TrackInfo } from '../../sdk/api';
import { fills, playsSound, Publications, sounding, staged, tilesOf } from './tiles';

function track(id: string, source: TrackInfo['source'], muted = false): TrackInfo {
  return { id, kind: source === 'mic' || source === 'screen-audio' ? 'audio' : 'video', source, codec: 'x', muted };
}

const member = (id: string, ...tracks: TrackInfo[]): MemberInfo => ({ id, name: id.toUpperCase(), state: 'online', tracks });

describe('tilesOf', () => {
  it('gives everyone a tile, oneself first', () => {
    const tiles = tilesOf(member('me'), [member('a', track('camera', 'camera')), member('b', track('mic', 'mic'))]);
    expect(tiles.map((tile) => [tile.label, tile.video?.id])).toEqual([['You', undefined], ['A', 'camera'], ['B', undefined]]);
  });

  it('shows what the command line streams as the picture of its member', () => {
    expect(tilesOf(member('me'), [member('cli', track('v0', 'file'))])[1]).toMatchObject({ label: 'CLI', video: { id: 'v0' } });
  });

  it('gives screens and second cameras tiles of their own', () => {
    const a = member('a', track('screen', 'screen'), track('camera', 'camera'), track('desk', 'camera'));
    const tiles = tilesOf(member('me'), [a]);
    expect(tiles.slice(1).map((tile) => [tile.label, tile.video?.id, tile.screen, tile.main])).toEqual([
      ['A', 'camera', false, true],
      ['Screen of A', 'screen', true, false],
      ['A, desk', 'desk', false, false],
    ]);
    expect(new Set(tiles.map((tile) => tile.key)).size).toBe(4);
  });

  it('gives the file of somebody who takes part a tile of its own, also where no camera is on', () => {
    const tiles = tilesOf(member('me', track('file', 'file'), track('mic', 'mic')), [
      member('a', track('file', 'file'), track('mic', 'mic'), track('camera', 'camera')),
    ]);
    expect(tiles.map((tile) => [tile.label, tile.video?.id, tile.film, tile.main])).toEqual([
      ['You', undefined, false, true],
      ['Your film', 'file', true, false],
      ['A', 'camera', false, true],
      ['Film of A', 'file', true, false],
    ]);
    expect(staged(tiles, undefined, new Map())?.key).toBe('a/file');
    expect(tilesOf(member('me', track('file', 'file')), []).map(({ film }) => film), 'one without devices sees it, too').toEqual([false, true]);
  });
});

describe('staged', () => {
  const tiles = tilesOf(member('me', track('screen', 'screen')), [
    member('a', track('screen', 'screen')),
    member('b', track('screen', 'screen')),
  ]);
  const since = new Map([['me/screen', 3], ['b/screen', 1], ['a/screen', 2]]);

  it('shows the newest screen of another member', () => {
    expect(staged(tiles, undefined, since)?.key).toBe('a/screen');
  });

  it('prefers what is pinned, and forgets a pin whose tile is gone', () => {
    expect(staged(tiles, 'b', since)?.key).toBe('b');
    expect(staged(tiles, 'gone', since)?.key).toBe('a/screen');
  });

  it('leaves the stage empty when nobody else shares', () => {
    expect(staged(tiles.slice(0, 2), undefined, since)).toBeUndefined();
  });
});

describe('Publications', () => {
  it('tells a track that came back from the one before', () => {
    const publications = new Publications();
    const on = member('a', track('camera', 'camera'));
    publications.update([on]);
    const first = publications.keyOf('a', 'camera');
    publications.update([on]);
    expect(publications.keyOf('a', 'camera')).toBe(first);
    publications.update([member('a')]);
    publications.update([on]);
    expect(publications.keyOf('a', 'camera')).not.toBe(first);
  });
});

describe('sounding', () => {
  it('tells muted from silent', () => {
    expect(sounding(member('a', track('mic', 'mic')))).toBe('on');
    expect(sounding(member('a', track('mic', 'mic', true)))).toBe('muted');
    expect(sounding(member('a', track('camera', 'camera')))).toBe('none');
  });

  it('does not take the sound of a screen for a voice', () => {
    expect(sounding(member('a', track('mic', 'mic', true), track('screen-audio', 'screen-audio')))).toBe('muted');
  });

  it('takes the sound of a file for a voice only where there is no microphone', () => {
    const sound: TrackInfo = { ...track('file-audio', 'file'), kind: 'audio' };
    expect(sounding(member('a', track('mic', 'mic', true), sound))).toBe('muted');
    expect(sounding(member('cli', sound))).toBe('on');
    expect(playsSound(member('a', track('mic', 'mic', true), sound))).toBe(true);
    expect(playsSound(member('a', track('mic', 'mic', true), sound, track('file', 'file')))).toBe(false);
    expect(playsSound(member('cli', sound))).toBe(false);
  });
});

describe('fills', () => {
  const camera = (width: number, height: number): TrackInfo => ({ ...track('camera', 'camera'), width, height });

  it('cuts a camera a little, never a lot', () => {
    expect(fills(camera(640, 360), 300, 225, false)).toBe(true);
    expect(fills(camera(360, 640), 300, 225, false)).toBe(false);
  });

  it('shows screens, files and what is on the stage whole', () => {
    expect(fills({ ...track('s', 'screen'), width: 640, height: 360 }, 320, 180, false)).toBe(false);
    expect(fills({ ...track('v', 'file'), width: 640, height: 360 }, 320, 180, false)).toBe(false);
    expect(fills(camera(640, 360), 320, 180, true)).toBe(false);
  });
});
