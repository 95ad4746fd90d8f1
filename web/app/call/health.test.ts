import { describe, expect, it } from 'vitest';
import type { RoomStats, TrackStats, VideoSent } from '../../sdk/api';
import { dropLines, healthOf, ms, rate, smallWords, trackRows, uplinkRows, videoRows } from './health';

const camera: TrackStats = {
  member: 'a', track: 'camera', kind: 'video', codec: 'vp8', bitrate: 6e5, rate: 30, width: 640, height: 360,
  latency: 120, jitter: 5, targetDelay: 60, delay: 55, concealed: 0, hidden: false, transport: 'websocket', drops: {},
};

const sent: VideoSent = { track: 'camera', width: 640, height: 360, fps: 30, bitrate: 7e5, step: 0, steps: 6, layers: [] };

function stats(uplink: Partial<RoomStats['uplink']> = {}, track: Partial<TrackStats> = {}): RoomStats {
  return {
    uplink: { bitrate: 6e5, capacity: 0, queueAge: 0, delay: 0, rtt: 30, window: 16_384, drops: {}, video: [sent], ...uplink },
    tracks: [{ ...camera, ...track }],
    transportWhy: undefined,
    reconnects: 0,
  };
}

describe('healthOf', () => {
  it('is good when nothing is wrong, also at the first look', () => {
    expect(healthOf(stats(), stats()).grade).toBe('good');
    expect(healthOf(stats({}, { drops: { age: 40 } }), undefined).grade).toBe('good');
  });

  it.each([
    ['a slow round trip', stats({ rtt: 300 }), 'fair'],
    ['a very slow round trip', stats({ rtt: 900 }), 'poor'],
    ['own pictures that wait', stats({ queueAge: 500 }), 'poor'],
    ['own pictures left out', stats({ drops: { age: 1 } }), 'fair'],
    ['an own picture that was lowered', stats({ video: [{ ...sent, bitrate: 4e5, why: 'connection' }] }), 'fair'],
    ['an own picture that was lowered far', stats({ video: [{ ...sent, step: 4, why: 'connection' }] }), 'poor'],
    ['a slow device', stats({ video: [{ ...sent, why: 'device' }] }), 'fair'],
    ['a picture that stands still', stats({}, { rate: 0, bitrate: 0 }), 'poor'],
    ['crackle', stats({}, { concealed: 0.05 }), 'fair'],
    ['gaps in the sound', stats({}, { concealed: 0.3 }), 'poor'],
    ['pictures dropped on the way', stats({}, { drops: { gate: 3 } }), 'fair'],
  ])('notices %s', (_, now, grade) => {
    const health = healthOf(now, stats());
    expect(health.grade).toBe(grade);
    expect(health.reasons.length).toBe(1);
  });

  it('says so when pictures are small because of the connection, or of this device', () => {
    const small = (why: 'link' | 'device' | 'asked') => healthOf(stats({}, { layer: { height: 180, of: [180, 360], why } }), stats());
    expect(small('asked').grade).toBe('good');
    expect(small('link')).toMatchObject({ grade: 'fair', reasons: [expect.stringContaining('Your connection')] });
    expect(small('device')).toMatchObject({ grade: 'fair', reasons: [expect.stringContaining('This device')] });
  });

  it('does not take a change of size for trouble', () => {
    expect(healthOf(stats({}, { drops: { layer: 20 } }), stats()).grade).toBe('good');
    expect(healthOf(stats({}, { drops: { temporal: 20 } }), stats()).grade).toBe('fair');
  });

  it('does not blame the connection for what is hidden', () => {
    expect(healthOf(stats({}, { drops: { paused: 300, 'catch-up': 2 } }), stats()).grade).toBe('good');
  });

  it('forgets drops that have stopped', () => {
    const dropped = stats({ drops: { age: 9 } }, { drops: { age: 50 } });
    expect(healthOf(dropped, dropped).grade).toBe('good');
  });

  it('does not fail for a round trip that is not known yet', () => {
    expect(healthOf(stats({ rtt: NaN }), undefined).grade).toBe('good');
  });
});

describe('what a tile says of a picture that is small', () => {
  const words = (layer?: TrackStats['layer']) => smallWords({ ...camera, ...(layer && { layer }) }, 'Ann');

  it.each([
    ['link', 'Your connection is slow: showing the small picture'],
    ['device', 'This device is slow: showing the small picture'],
    ['publisher', 'Ann’s connection is slow: showing the small picture'],
    ['asked', undefined],
  ] as const)('%s', (why, said) => {
    expect(words({ height: 180, of: [180, 360], why })).toBe(said);
  });

  it('is nothing when it is not, or there are no others', () => {
    expect(words({ height: 360, of: [180, 360], why: 'link' })).toBeUndefined();
    expect(words()).toBeUndefined();
  });
});

describe('numbers', () => {
  it('tells the size that comes, and those that are sent', () => {
    const rows = trackRows({ ...camera, layer: { height: 180, of: [180, 360, 720], why: 'link' } });
    expect(rows.find(([label]) => label === 'Size')).toEqual(['Size', '180 (there is 360 and 720 as well): your connection is slow']);
    const layer = { height: 180, bitrate: 100_000, room: true, frames: 9 };
    const layers = [layer, { ...layer, height: 360, bitrate: 0 }, { ...layer, height: 720, bitrate: 0, room: false }];
    expect(videoRows({ ...sent, layers }).at(-1)).toEqual(['Sizes', '180 at 100 kbit/s, 360 not asked for, 720 not made']);
    expect(videoRows({ ...sent, layers: [{ ...layer, bitrate: 0 }] })).toEqual([['Picture', 'not sent: nobody looks at it now']]);
  });

  it('names drops in words, the most frequent first', () => {
    const lines = dropLines({ age: 2, gate: 30, paused: 0, odd: 1 });
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^30 \(skipped/);
    expect(lines[2]).toBe('1 (odd)');
  });

  it('does not blame another sender for what was lost on the way out', () => {
    const said = (rows: [string, string][]) => rows.map(([, value]) => value).join(' ');
    expect(said(uplinkRows(stats({ drops: { lost: 3 } }).uplink))).toContain('your connection');
    expect(said(trackRows({ ...camera, drops: { lost: 3 } }))).toContain('sender');
  });

  it('tells how an own picture was lowered, and why', () => {
    const rows = videoRows({ ...sent, width: 480, height: 270, fps: 20, step: 2, bitrate: 2e5, why: 'connection' });
    expect(rows.map(([, value]) => value)).toEqual(['480 × 270, up to 20 a second', '200 kbit/s', 'step 3 of 6, lowered: your connection is slow']);
    expect(videoRows(sent).at(-1)).toEqual(['Quality', 'full size and rate']);
  });

  it.each([
    [{ age: 40, gate: 3 }, 0, 'your connection is too slow for it'],
    [{ gate: 30 }, 0, 'it waits for its next full picture'],
    [{}, 0, 'nothing comes from its sender'],
    [{}, 3e5, 'this device cannot decode it'],
  ])('tells why a picture is frozen, by what was dropped since: %j', (drops, bitrate, words) => {
    const [pictures] = trackRows({ ...camera, rate: 0, bitrate, drops }, camera).filter(([label]) => label === 'Pictures');
    expect(pictures).toEqual(['Pictures', `none: ${words}`]);
  });

  it('knows that what is hidden is not sent', () => {
    const hidden = { ...camera, rate: 0, bitrate: 0, hidden: true };
    expect(trackRows(hidden, hidden).find(([label]) => label === 'Pictures')).toEqual(['Pictures', 'none: not shown here, so not sent']);
    expect(healthOf({ ...stats(), tracks: [hidden] }, { ...stats(), tracks: [hidden] }).grade).toBe('good');
  });

  it('lets a screen stand still', () => {
    const screen = { ...camera, track: 'screen', rate: 0, bitrate: 0 };
    expect(trackRows(screen, screen).find(([label]) => label === 'Pictures')).toEqual(['Pictures', '0 a second']);
  });

  it('says so when a number is not known', () => {
    expect(ms(NaN)).toBe('–');
    expect(rate(Infinity)).toBe('–');
  });

  it('chooses units', () => {
    expect(rate(64_000)).toBe('64 kbit/s');
    expect(rate(1_540_000)).toBe('1.5 Mbit/s');
  });

  it('tells of replaced sound for sound only', () => {
    const rows = (track: TrackStats) => trackRows(track).map(([label]) => label);
    expect(rows(camera)).not.toContain('Replaced');
    expect(rows({ ...camera, kind: 'audio' })).toContain('Replaced');
  });
});
