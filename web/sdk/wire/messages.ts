// Control messages of landline.v1 (docs/protocol.md section 4): one shape per message, from which
// its type is derived. Parsed messages have every field; messages to be sent may leave zeros out.

import { checkDepth, count, counts, flag, list, maybe, MessageError, needed, object, opaque, text, word } from './schema';
import type { Check, Of } from './schema';

export { MessageError } from './schema';

export const MAX_CHAT = 4_096;
export const MAX_KEY = 128;
/** Of a topic's value, as JSON. */
export const MAX_VALUE = 4_096;
export const MAX_PUT_VALUES = 1_024;
/** Deeper than this a topic's value is not taken. */
export const MAX_VALUE_DEPTH = 32;
/** The relay passes on any value of 4,096 bytes: one that only nests must not spoil the message around it. */
const MAX_DEPTH = MAX_VALUE / 2 + 8;
const MAX_MEMBERS = 4_096;
const MAX_NEXT = 64;
const MAX_TRACKS = 64;
const MAX_SUBSCRIPTIONS = 256;
/** Files of a recording. */
const MAX_PARTS = 65_536;

export const ROOM_NAME = /^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$/;
/** What can be joined: a room of people, or a recording, to be watched alone (section 22). */
const JOINABLE = /^(?:[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}|recordings\/[A-Za-z0-9_.~-]{1,100})$/;
export const TRACK_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;
// 1 to 64 characters, none of them a control character.
export const PERSON_NAME = /^\P{Cc}{1,64}$/u;
const MEMBER_ID = /^.{1,64}$/su;
// Without control characters, and without halves of characters, which are none in UTF-8.
export const TOPIC_KEY = /^[^\0-\x1f\ufffd\p{Cs}]*$/u;

const clock = object({ us: count(), wallUs: count() });
const colour = object({ primaries: text(), transfer: text(), matrix: text(), fullRange: flag });
const layer = object({ alias: count(0xffff), width: count(0xffff), height: count(0xffff), codecString: text(), config: text() });
/** Flags for the layers of a track, in their order. */
const layerFlags = list(flag, 3);

const track = object({
  id: needed(TRACK_ID),
  // Plain text: a later version may add kinds and sources, and one of them must not spoil the roster.
  kind: text(),
  source: text(),
  codec: text(),
  codecString: text(),
  config: text(),
  width: count(0xffff),
  height: count(0xffff),
  colour: maybe(colour),
  sampleRate: count(),
  channels: count(255),
  layers: list(layer, 16),
  clock: maybe(clock),
  atUs: count(),
  muted: flag,
  keyOnRequest: flag,
});

const member = object({
  id: needed(MEMBER_ID),
  name: text(),
  state: word('online', 'reconnecting'),
  tracks: list(track, MAX_TRACKS),
});

const selection = object({
  member: text(MEMBER_ID),
  name: text(PERSON_NAME),
  track: text(TRACK_ID),
  paused: flag,
  priority: count(9),
  maxAgeMs: count(30_000),
  height: count(16_384),
  hold: flag,
});

const subscription: Check<Of<typeof selection>> = (value, at) => {
  const s = selection(value, at);
  if (s.track && !s.member) throw new MessageError(`${at} names a track without its member`);
  if (s.member && s.name) throw new MessageError(`${at} names both a member and a display name`);
  return s;
};

const topic = needed(ROOM_NAME);
const mode = word('latest', 'ordered', 'lossy');
const value = opaque(MAX_VALUE_DEPTH);

// Objects (section 18). What either side says of a stream has one shape.
const STREAM = 0xffff_ffff;
const SHA256 = /^[0-9a-f]{64}$/;
const onStream = {
  credit: object({ req: count(), stream: count(STREAM), offset: count() }),
  finish: object({ req: count(), stream: count(STREAM), sha256: needed(SHA256) }),
  received: object({ req: count(), stream: count(STREAM) }),
  cancel: object({ req: count(), stream: count(STREAM), reason: word('declined', 'cancelled', 'failed', 'hash', 'left') }),
};

const rtcEnd = object({ mid: text(), sequence: count(0xffff) });
const rtcClose = object({ reason: text() });
const rtcPath = object({ member: needed(MEMBER_ID), path: word('both', 'webrtc', 'websocket') });
const rtcSent = object({ packets: count() });

const fromClient = {
  hello: object({ version: count(), agent: text(), decode: maybe(object({ ws: list(text(), 32), webrtc: list(text(), 32) })) }),
  join: object({
    room: needed(JOINABLE),
    name: text(PERSON_NAME),
    token: text(),
    resume: text(),
    publish: list(track, MAX_TRACKS),
    subscribe: list(subscription, MAX_SUBSCRIPTIONS),
    chatAfterUs: count(),
  }),
  publish: object({ req: count(), tracks: list(track, MAX_TRACKS) }),
  configure: object({
    track: needed(TRACK_ID),
    codecString: text(),
    config: text(),
    width: count(0xffff),
    height: count(0xffff),
    colour: maybe(colour),
    sampleRate: count(),
    channels: count(255),
    layers: list(layer, 16),
  }),
  encoding: object({ req: count(), track: needed(TRACK_ID), layers: layerFlags }),
  mute: object({ track: needed(TRACK_ID), muted: flag }),
  unpublish: object({ track: needed(TRACK_ID) }),
  subscribe: subscription,
  unsubscribe: subscription,
  keyframe: object({ member: needed(MEMBER_ID), track: needed(TRACK_ID), why: text() }),
  chat: object({ req: count(), text: text(), source: text(), n: count() }),
  put: object({
    req: count(),
    topic,
    mode,
    source: text(/^.{1,64}$/su),
    n: count(),
    owned: flag,
    values: list(object({ key: text(TOPIC_KEY), value }), MAX_PUT_VALUES),
  }),
  follow: object({ req: count(), topic, mode, epoch: text(), after: count() }),
  unfollow: object({ req: count(), topic }),
  bye: object({}),
  ackInterval: object({ ms: count() }),
  offer: object({ req: count(), object: text(), to: text(), name: text(), size: count(), mime: text() }),
  accept: object({ req: count(), stream: count(STREAM), offset: count() }),
  rtcOffer: object({
    req: count(),
    sdp: text(),
    send: list(object({ mid: text(), track: needed(TRACK_ID), sequence: count(0xffff), rtp: count(0xffff_ffff), us: count() }), 32),
    both: flag,
  }),
  record: object({ req: count(), on: flag, name: text(PERSON_NAME), perMember: flag }),
  rtcEnd,
  rtcClose,
  rtcPath,
  rtcSent,
  ...onStream,
};

const limits = object({
  controlBytes: count(),
  chunkBytes: count(),
  frameBytes: count(),
  tracks: count(),
  subscriptions: count(),
  members: count(),
  chatBytes: count(),
  joinMs: count(),
  graceMs: count(),
  deadMs: count(),
});

const fromServer = {
  welcome: object({ version: count(), server: text(), features: list(text(), 256), limits: maybe(limits) }),
  joined: object({
    room: text(),
    resumed: flag,
    resume: text(),
    graceMs: count(),
    grants: list(text(), 64),
    self: member,
    members: list(member, MAX_MEMBERS),
  }),
  published: object({ req: count(), tracks: list(track, MAX_TRACKS) }),
  memberJoined: object({ member }),
  memberLeft: object({ id: needed(MEMBER_ID), reason: text() }),
  memberState: object({ id: needed(MEMBER_ID), state: word('online', 'reconnecting') }),
  trackAdded: object({ member: needed(MEMBER_ID), track }),
  trackUpdated: object({ member: needed(MEMBER_ID), track }),
  trackRemoved: object({ member: needed(MEMBER_ID), track: needed(TRACK_ID), reason: text() }),
  /** Of all layers where layer is undefined. */
  feedback: object({ track: needed(TRACK_ID), keyframe: flag, layer: maybe(count(15)) }),
  wanted: object({ track: needed(TRACK_ID), layers: layerFlags }),
  layer: object({ member: needed(MEMBER_ID), track: needed(TRACK_ID), height: count(0xffff), why: text() }),
  drops: object({ tracks: list(object({ member: needed(MEMBER_ID), track: needed(TRACK_ID), frames: counts(32) }), 4_096) }),
  chat: object({ req: count(), from: text(), name: text(), text: text(), seq: count(), atUs: count(), past: flag }),
  notice: object({ code: text(), member: text(), track: text(), text: text() }),
  data: object({
    topic,
    mode,
    epoch: text(),
    from: count(),
    to: count(),
    head: count(),
    missed: count(),
    values: list(object({ key: text(), value, seq: count(), atUs: count(), by: text() }), MAX_PUT_VALUES),
  }),
  error: object({ req: count(), code: text(), text: text(), fatal: flag }),
  bye: object({ reason: text(), retryMs: count() }),
  ackInterval: object({ ms: count() }),
  offering: object({ req: count(), object: text(), streams: list(object({ stream: count(STREAM), to: needed(MEMBER_ID) }), MAX_MEMBERS) }),
  /** from is empty where the server itself offers: a file of a recording, of which it is the part-th of so many parts. */
  offered: object({
    stream: count(STREAM),
    object: text(),
    from: text(MEMBER_ID),
    name: text(),
    size: count(),
    mime: text(),
    part: count(MAX_PARTS),
    parts: count(MAX_PARTS),
  }),
  accepted: object({ stream: count(STREAM), object: text(), to: needed(MEMBER_ID), offset: count(), turn: count(0xffff) }),
  recording: object({
    id: text(),
    // Plain text: a later version may add states.
    state: text(),
    why: text(),
    by: text(),
    byName: text(),
    name: text(),
    sinceUs: count(),
  }),
  playback: object({
    recording: text(),
    title: text(),
    members: list(needed(MEMBER_ID), MAX_MEMBERS),
    byName: text(),
    playing: flag,
    loop: flag,
    positionMs: count(),
    atUs: count(),
    lengthMs: count(),
    next: list(text(), MAX_NEXT),
    over: flag,
    // Plain text: a later version may add reasons.
    why: text(),
  }),
  rtcAnswer: object({ req: count(), sdp: text() }),
  rtcTrack: object({
    mid: text(),
    member: needed(MEMBER_ID),
    track: needed(TRACK_ID),
    sequence: count(0xffff),
    rtp: count(0xffff_ffff),
    us: count(),
  }),
  rtcEnd,
  rtcClose,
  rtcPath,
  rtcSent,
  rtcForce: object({ path: word('any', 'webrtc', 'websocket') }),
  ...onStream,
};

type Parsed<T extends Record<string, Check<object>>> = { [K in keyof T]: { type: K } & Of<T[K]> }[keyof T];
/** What may be left out of a message when it is sent: whatever has its zero value. */
type Sparse<T> = T extends (infer U)[] ? Sparse<U>[] : T extends object ? { [K in keyof T]?: Sparse<T[K]> | undefined } : T;

export type ClientMessage = Parsed<typeof fromClient>;
export type ServerMessage = Parsed<typeof fromServer>;
export type Outgoing = { [M in ClientMessage as M['type']]: { type: M['type'] } & Sparse<Omit<M, 'type'>> }[ClientMessage['type']];

export type Put = Extract<Outgoing, { type: 'put' }>;
export type Data = Extract<ServerMessage, { type: 'data' }>;
export type Joined = Extract<ServerMessage, { type: 'joined' }>;
export type WireTrack = Of<typeof track>;
export type WireMember = Of<typeof member>;
export type Colour = Of<typeof colour>;
/** A track as its publisher announces it. */
export type Offer = Sparse<Omit<WireTrack, 'id' | 'kind' | 'source' | 'codec' | 'codecString' | 'clock'>> &
  Pick<WireTrack, 'id' | 'kind' | 'source' | 'codec' | 'codecString'> & { clock: { us: number; wallUs: number } };
export type Selection = Sparse<Of<typeof selection>>;

/** Reads a message of the relay. undefined: of a type that is not known here, to be ignored. */
export function parseServer(json: string): ServerMessage | undefined {
  return parse(json, fromServer);
}

/** Reads a message as the relay does. */
export function parseClient(json: string): ClientMessage | undefined {
  return parse(json, fromClient);
}

function parse<T extends Record<string, Check<object>>>(json: string, shapes: T): Parsed<T> | undefined {
  checkDepth(json, MAX_DEPTH);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new MessageError('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MessageError('not an object');
  const type = (value as Record<string, unknown>)['type'];
  if (typeof type !== 'string') throw new MessageError('type is not text');
  const shape = Object.hasOwn(shapes, type) ? shapes[type] : undefined;
  return shape && ({ type, ...shape(value, type) } as Parsed<T>);
}
