import { beforeEach, describe, expect, test } from 'vitest';
import type { Joined, Outgoing, ServerMessage } from '../wire/messages';
import { parseServer } from '../wire/messages';
import { JOINED } from '../session/fake';
import { Publications } from './publications';
import { Uplink } from './uplink';
import type { UplinkTrack } from './uplink';

let sent: Outgoing[];
let linked: boolean;
let events: string[];
let uplink: Uplink;
let publications: Publications;
let sizes: { width: number; height: number }[];
let room: boolean[];

beforeEach(() => {
  sent = [];
  linked = true;
  events = [];
  uplink = new Uplink();
  let req = 0;
  publications = new Publications({
    send: (m) => linked && sent.push(m) > 0,
    sendBinary: () => {},
    nextReq: () => ++req,
  });
});

function camera(layers: typeof sizes = []): UplinkTrack {
  const track = uplink.add('camera', 'video');
  const uplinks = [...layers.slice(1).map((_, i) => uplink.add('camera', 'video', `/${i}`)), track];
  sizes = layers;
  room = layers.map(() => true);
  const publisher = {
    keyOnRequest: true,
    uplinks,
    get sizes() {
      return sizes;
    },
    get room() {
      return room;
    },
    forceKey: (layer?: number) => events.push(layer === undefined ? 'key' : `key ${layer}`),
    wanted: (layers: readonly boolean[]) => events.push(`wanted ${layers.join()}`),
    accepted: () => events.push('accepted'),
    refused: (code: string) => events.push(code),
  };
  publications.add({ id: 'camera', kind: 'video', source: 'camera', codec: 'vp8' }, publisher);
  return track;
}

function say(message: object): void {
  publications.apply(parseServer(JSON.stringify(message))!);
}

const wire = (alias: number, more: object = {}): object => ({
  id: 'camera',
  kind: 'video',
  source: 'camera',
  codec: 'vp8',
  codecString: 'vp8',
  width: 640,
  height: 360,
  layers: [{ alias }],
  ...more,
});

function joined(tracks: object[]): Joined {
  const self = { ...JOINED.self, tracks };
  return parseServer(JSON.stringify({ ...JOINED, self })) as Extract<ServerMessage, { type: 'joined' }>;
}

const SMALL = { codecString: 'vp8', width: 640, height: 360 };

describe('publish', () => {
  test('is sent when the first frame was encoded, and gives the track its alias', () => {
    const track = camera();
    expect(sent).toEqual([]);
    publications.setFormat('camera', SMALL);
    expect(sent).toMatchObject([{ type: 'publish', req: 1, tracks: [{ id: 'camera', width: 640, keyOnRequest: true }] }]);
    say({ type: 'published', req: 1, tracks: [wire(42)] });
    expect(track.alias).toBe(42);
    expect(events).toEqual(['accepted']);
  });

  test('a refusal goes to the one who asked', () => {
    camera();
    publications.setFormat('camera', SMALL);
    say({ type: 'error', req: 1, code: 'no-grant', text: 'the token does not allow publish' });
    expect(events).toEqual(['no-grant']);
    expect(publications.offers()).toEqual([]);
  });

  test('a change of size is told, once', () => {
    camera();
    publications.setFormat('camera', SMALL);
    say({ type: 'published', req: 1, tracks: [wire(42)] });
    publications.setFormat('camera', { ...SMALL, width: 360, height: 640 });
    publications.setFormat('camera', { ...SMALL, width: 360, height: 640 });
    expect(sent.slice(1)).toEqual([{ type: 'configure', track: 'camera', codecString: 'vp8', width: 360, height: 640 }]);
  });

  test('feedback asks the encoder for a key frame', () => {
    camera();
    say({ type: 'feedback', track: 'camera', keyframe: true });
    say({ type: 'feedback', track: 'other', keyframe: true });
    expect(events).toEqual(['key']);
  });
});

describe('after a reconnect the relay and we agree again', () => {
  beforeEach(() => {
    const track = camera();
    publications.setFormat('camera', SMALL);
    say({ type: 'published', req: 1, tracks: [wire(42)] });
    linked = false;
    uplink.reset();
    publications.lost();
    track.gated = true;
    sent = [];
    events = [];
  });

  test('a track that lived on is resumed with a key frame', () => {
    linked = true;
    publications.reconcile(joined([wire(42)]));
    expect(uplink.tracks.get('camera')!.alias).toBe(42);
    expect(events).toEqual(['accepted', 'key 0']);
    expect(sent).toEqual([]);
  });

  test('a track that did not is published again', () => {
    linked = true;
    publications.reconcile(joined([]));
    expect(sent).toMatchObject([{ type: 'publish', tracks: [{ id: 'camera' }] }]);
  });

  test('what changed meanwhile is told: mute, size, a track taken back', () => {
    publications.mute('camera', true);
    publications.setFormat('camera', { ...SMALL, width: 1_280, height: 720 });
    linked = true;
    publications.reconcile(joined([wire(42), wire(43, { id: 'screen' })]));
    expect(sent.map((m) => m.type)).toEqual(['unpublish', 'configure', 'mute']);
  });
});

test('an anew join offers everything that is published', () => {
  camera();
  expect(publications.offers()).toEqual([]);
  publications.setFormat('camera', SMALL);
  publications.mute('camera', true);
  expect(publications.offers()).toMatchObject([{ id: 'camera', muted: true, width: 640 }]);
});

describe('layers', () => {
  const SIZES = [{ width: 320, height: 180 }, { width: 640, height: 360 }];
  const layered = { layers: [{ alias: 42, ...SIZES[0] }, { alias: 43, ...SIZES[1] }] };

  function publish(known = true): void {
    publications.layered = known;
    camera(SIZES);
    // The ladder may be lower when the first picture is encoded.
    publications.setFormat('camera', { ...SMALL, width: 480, height: 270 });
  }

  test('are offered with their sizes, and each gets its alias', () => {
    publish();
    expect(sent).toMatchObject([{ type: 'publish', tracks: [{ width: 640, height: 360, layers: SIZES }] }]);
    say({ type: 'published', req: 1, tracks: [wire(0, layered)] });
    expect([...uplink.tracks.values()].map(({ alias }) => alias)).toEqual([43, 42]);
    expect(sent[1]).toEqual({ type: 'configure', track: 'camera', codecString: 'vp8', width: 480, height: 270 });
  });

  test('are not offered to a relay that does not know them; the best one is what it takes', () => {
    publish(false);
    expect(sent).toMatchObject([{ tracks: [{ width: 480, height: 270 }] }]);
    expect(sent[0]).not.toHaveProperty('tracks.0.layers');
    say({ type: 'published', req: 1, tracks: [wire(42)] });
    expect([...uplink.tracks.values()].map(({ alias }) => alias)).toEqual([42, 0]);
    room = [true, false];
    publications.encoding('camera');
    expect(sent.length).toBe(2);
  });

  test('that are wanted, and key frames of one, are passed on', () => {
    publish();
    say({ type: 'wanted', track: 'camera', layers: [true, false] });
    say({ type: 'feedback', track: 'camera', keyframe: true, layer: 0 });
    say({ type: 'feedback', track: 'camera', keyframe: true });
    expect(events).toEqual(['wanted true,false', 'key 0', 'key']);
  });

  test('that there is no room for are told when that changes, and again after a resume', () => {
    publish();
    say({ type: 'published', req: 1, tracks: [wire(0, layered)] });
    const told = (): Outgoing[] => sent.filter(({ type }) => type === 'encoding');
    publications.encoding('camera');
    expect(told()).toEqual([]);
    room = [true, false];
    publications.encoding('camera');
    publications.encoding('camera');
    expect(told()).toEqual([{ type: 'encoding', track: 'camera', layers: [true, false] }]);
    publications.lost();
    room = [true, true];
    publications.reconcile(joined([wire(0, layered)]));
    expect(told().slice(1)).toEqual([{ type: 'encoding', track: 'camera', layers: [true, true] }]);
  });

  test('get other sizes when the camera does', () => {
    publish();
    say({ type: 'published', req: 1, tracks: [wire(0, layered)] });
    sizes = [{ width: 180, height: 320 }, { width: 360, height: 640 }];
    publications.setFormat('camera', { ...SMALL, width: 360, height: 640 });
    expect(sent.at(-1)).toEqual({ type: 'configure', track: 'camera', codecString: 'vp8', width: 360, height: 640, layers: sizes });
  });
});
