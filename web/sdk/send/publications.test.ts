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

function camera(): UplinkTrack {
  const track = uplink.add('camera', 'video');
  const publisher = {
    uplink: track,
    forceKey: () => events.push('key'),
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
    expect(events).toEqual(['accepted', 'key']);
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
