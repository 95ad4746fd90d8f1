import { afterEach, describe, expect, it, vi } from 'vitest';
import { deviceOptions } from './choices';
import { loudness } from './level';
import { isOn, Media } from './media';
import { troubleOf, troubleText, type Trouble } from './trouble';

describe('troubleOf', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['SecurityError', 'denied'],
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotReadableError', 'busy'],
    ['TypeError', 'failed'],
  ])('%s means %s', (name, trouble) => expect(troubleOf(new DOMException('', name))).toBe(trouble));

  it('has a name for anything thrown', () => {
    expect(troubleOf(undefined)).toBe('failed');
    expect(troubleOf('text')).toBe('failed');
  });

  it('words each trouble for each device differently', () => {
    const all = (['denied', 'missing', 'busy', 'failed'] as Trouble[]).flatMap((trouble) => [
      troubleText(['mic'], trouble).title,
      troubleText(['camera'], trouble).title,
      troubleText(['camera', 'mic'], trouble).title,
    ]);
    expect(new Set(all).size).toBe(12);
  });
});

describe('isOn', () => {
  const device = { wanted: true, asking: false, track: undefined, trouble: undefined };

  it('is not fooled by a wish: what cannot be had is off', () => {
    expect(isOn({ ...device, trouble: 'denied' })).toBe(false);
    expect(isOn({ ...device, asking: true })).toBe(true);
    expect(isOn({ ...device, track: {} as MediaStreamTrack })).toBe(true);
    expect(isOn({ ...device, track: {} as MediaStreamTrack, wanted: false })).toBe(false);
  });
});

describe('a device that is denied', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('stays so while it is asked for at the start of the call, and is told anew to who asks again', async () => {
    const mediaDevices = {
      addEventListener: () => undefined,
      enumerateDevices: () => Promise.resolve([]),
      getUserMedia: () => Promise.reject(new DOMException('', 'NotAllowedError')),
    };
    vi.stubGlobal('navigator', { mediaDevices });
    const media = new Media();
    await media.start();
    const seen: (Trouble | undefined)[] = [];
    media.store.watch(() => seen.push(media.store.get().camera.trouble));
    await media.start();
    expect(new Set(seen)).toEqual(new Set(['denied']));
    seen.length = 0;
    await media.want('camera', true);
    expect(seen[0]).toBe(undefined);
    expect(seen.at(-1)).toBe('denied');
  });
});

describe('loudness', () => {
  const tone = (amplitude: number) => Float32Array.from({ length: 1024 }, (_, i) => amplitude * Math.sin(i / 3));

  it('is nothing for silence, and all for full scale', () => {
    expect(loudness(new Float32Array(1024))).toBe(0);
    expect(loudness(new Float32Array(0))).toBe(0);
    expect(loudness(tone(1))).toBe(1);
  });

  it('shows quiet speech clearly, and louder as more', () => {
    expect(loudness(tone(0.02))).toBeGreaterThan(0.3);
    expect(loudness(tone(0.1))).toBeGreaterThan(loudness(tone(0.02)));
  });
});

describe('deviceOptions', () => {
  const input = (deviceId: string, label: string, kind: MediaDeviceKind) => ({ deviceId, label, kind }) as MediaDeviceInfo;

  it('lists the devices of one kind', () => {
    const inputs = [input('a', 'Desk', 'audioinput'), input('b', '', 'audioinput'), input('c', 'Cam', 'videoinput')];
    expect(deviceOptions(inputs, 'audioinput', 'microphone')).toEqual([
      { value: 'a', text: 'Desk' },
      { value: 'b', text: 'microphone 2' },
    ]);
  });

  it('offers the default while the browser keeps the devices to itself', () => {
    expect(deviceOptions([input('', '', 'videoinput')], 'videoinput', 'camera')).toEqual([{ value: '', text: 'Default camera' }]);
  });
});
