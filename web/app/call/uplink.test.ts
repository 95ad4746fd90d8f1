import { describe, expect, it } from 'vitest';
import type { Device, MediaState } from '../media/media';
import { parsePrefs } from '../prefs';
import { ownTracks, Uplink } from './uplink';

const track = (kind: 'audio' | 'video') => ({ kind, getSettings: () => ({}) }) as MediaStreamTrack;
const device = (track: MediaStreamTrack | undefined, wanted = true): Device => ({ wanted, track, asking: false, trouble: undefined });

function media(patch: Partial<MediaState> = {}): MediaState {
  return {
    mic: device(undefined),
    camera: device(undefined),
    screen: undefined,
    screenAudio: undefined,
    inputs: [],
    prefs: parsePrefs(null),
    ...patch,
  };
}

/** A room that writes down what it is told; publishing takes until release() is called. */
function fakeRoom() {
  const told: string[] = [];
  const waiting: (() => void)[] = [];
  return {
    told,
    publish: (id: string) => {
      told.push(`publish ${id}`);
      return new Promise<void>((resolve) => waiting.push(resolve));
    },
    unpublish: (id: string) => void told.push(`unpublish ${id}`),
    mute: (id: string, muted: boolean) => void told.push(`${muted ? 'mute' : 'unmute'} ${id}`),
    /** Lets what was published be done, and everything that waited for it run. */
    async release() {
      for (let turn = 0; turn < 20; turn++) {
        await Promise.resolve();
        for (const resolve of waiting.splice(0)) resolve();
      }
    },
  };
}

function setup() {
  const room = fakeRoom();
  const failures: string[] = [];
  return { room, failures, uplink: new Uplink(room, (id) => failures.push(id)) };
}

describe('Uplink', () => {
  it('publishes each device once, however often it is told', async () => {
    const { room, uplink } = setup();
    const state = media({ mic: device(track('audio')), camera: device(track('video')) });
    uplink.sync(state);
    uplink.sync(state);
    await room.release();
    expect(room.told).toEqual(['publish mic', 'publish camera']);
  });

  it('joins muted without letting a sound through: muted as soon as published', async () => {
    const { room, uplink } = setup();
    uplink.sync(media({ mic: device(track('audio'), false) }));
    await room.release();
    expect(room.told).toEqual(['publish mic', 'mute mic']);
  });

  it('mutes a microphone, but takes a camera back', async () => {
    const { room, uplink } = setup();
    const [mic, camera] = [track('audio'), track('video')];
    uplink.sync(media({ mic: device(mic), camera: device(camera) }));
    await room.release();
    uplink.sync(media({ mic: device(mic, false), camera: device(undefined, false) }));
    await room.release();
    expect(room.told.slice(2).sort()).toEqual(['mute mic', 'unpublish camera']);
  });

  it('changes to another device', async () => {
    const { room, uplink } = setup();
    uplink.sync(media({ camera: device(track('video')) }));
    await room.release();
    uplink.sync(media({ camera: device(track('video')) }));
    await room.release();
    expect(room.told).toEqual(['publish camera', 'unpublish camera', 'publish camera']);
  });

  it('ends off when switched on and off at once', async () => {
    const { room, uplink } = setup();
    uplink.sync(media({ camera: device(track('video')) }));
    uplink.sync(media());
    await room.release();
    expect(room.told).toEqual([]);
  });

  it('waits for the publication before it takes it back', async () => {
    const { room, uplink } = setup();
    const state = media({ screen: track('video'), screenAudio: track('audio') });
    uplink.sync(state);
    await Promise.resolve();
    uplink.sync(media());
    expect(room.told).toEqual(['publish screen', 'publish screen-audio']);
    await room.release();
    expect(room.told.slice(2).sort()).toEqual(['unpublish screen', 'unpublish screen-audio']);
  });

  it('reports a failure and goes on with the others', async () => {
    const { room, failures, uplink } = setup();
    const publish = room.publish;
    room.publish = (id) => (id === 'mic' ? Promise.reject(new Error('no encoder')) : publish(id));
    uplink.sync(media({ mic: device(track('audio')), camera: device(track('video')) }));
    await room.release();
    expect(failures).toEqual(['mic']);
    expect(room.told).toEqual(['publish camera']);
  });
});

it('does not complain about a camera that was switched off before it was published', async () => {
  const { room, failures, uplink } = setup();
  let fail = () => {};
  room.publish = () => new Promise((_, reject) => (fail = () => reject(new Error('ended'))));
  uplink.sync(media({ camera: device(track('video')) }));
  await Promise.resolve();
  uplink.sync(media());
  fail();
  await room.release();
  expect(failures).toEqual([]);
  expect(room.told).toEqual([]);
});

it('shows of oneself what is on now', () => {
  const own = ownTracks(media({ mic: device(track('audio'), false), camera: device(track('video'), false), screen: track('video') }));
  expect(own.map(({ id, kind, muted }) => [id, kind, muted])).toEqual([
    ['mic', 'audio', true],
    ['screen', 'video', false],
  ]);
});
