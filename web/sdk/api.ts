// What the SDK offers to an application. The SDK knows no user interface.

import type { Recordings } from './catalogue';
import type { FileStream, StreamFileOptions } from './file/api';
import type { Offer, Sending, SendOptions } from './objects/api';

export * from './catalogue';
export * from './file/api';
export * from './objects/api';

/** One codec stream of a member, as announced (docs/protocol.md section 4). */
export interface TrackInfo {
  id: string;
  kind: 'audio' | 'video';
  source: 'camera' | 'mic' | 'screen' | 'screen-audio' | 'file';
  codec: string;
  width?: number;
  height?: number;
  muted: boolean;
}

export interface MemberInfo {
  id: string;
  name: string;
  state: 'online' | 'reconnecting';
  tracks: TrackInfo[];
}

export interface ChatMessage {
  from: string;
  name: string;
  text: string;
  /** Server wall clock, ms since 1970. */
  at: number;
  seq: number;
  /** It was said before this page joined. */
  past: boolean;
}

/** connecting: first join. reconnecting: the socket was lost, the membership is held. closed: over, see closeReason. */
export type RoomState = 'connecting' | 'online' | 'reconnecting' | 'closed';

/** Why a room is closed: the code of docs/protocol.md section 12, or 'left', 'unreachable'. */
export interface CloseReason {
  code: string;
  text: string;
}

/** Why a track is received as small as it is: the connection of this page, this device, what was asked for, or the one who sends it. */
export type LayerWhy = 'link' | 'device' | 'asked' | 'publisher';

/** Of the renditions of a received picture, the one that comes. Heights in pixels. */
export interface LayerReceived {
  height: number;
  /** All there are, the smallest first. */
  of: number[];
  why: LayerWhy;
}

/** What carries a received track: the WebSocket, or a PeerConnection beside it. */
export type Transport = 'websocket' | 'webrtc';

/**
 * Why media comes over the WebSocket alone. asked: JoinOptions.transport. server, browser: it has no WebRTC. trying: the PeerConnection
 * comes about. blocked: UDP does not get through. lost: it did, and does not any more. loss: too much is lost. refused: by the relay.
 */
export type TransportWhy = 'asked' | 'server' | 'browser' | 'trying' | 'blocked' | 'lost' | 'loss' | 'refused';

/** What is known of one received track now. Times in ms. */
export interface TrackStats {
  member: string;
  track: string;
  kind: 'audio' | 'video';
  codec: string;
  bitrate: number;
  /** Frames painted a second; packets played a second for audio. */
  rate: number;
  width?: number;
  height?: number;
  /** Capture (by the publisher's clock) to play-out, where both clocks are one machine's or synchronised. */
  latency: number;
  /** Arrival jitter (RFC 3550 section 6.4.1 style, smoothed). */
  jitter: number;
  /** What the player aims to hold in its buffer. */
  targetDelay: number;
  /** What it holds. */
  delay: number;
  /** Share of concealed audio, 0 to 1, over the last second. */
  concealed: number;
  /** Not asked for now: see Room.prefer. */
  hidden: boolean;
  transport: Transport;
  /** Of a picture that there is in several sizes. */
  layer?: LayerReceived;
  /** Frames dropped by the relay on the way here, by reason. */
  drops: Record<string, number>;
}

/** What is made of one's own camera or screen now. */
export interface VideoSent {
  track: string;
  width: number;
  height: number;
  /** Most frames a second. */
  fps: number;
  /** What is to come of it, bit/s. */
  bitrate: number;
  /** On the ladder of sizes and frame rates: 0 is the best of so many. */
  step: number;
  steps: number;
  /** Why it is less than it could be: the uplink carries no more, or this device encodes too slowly. */
  why?: 'connection' | 'device';
  /** The renditions of it, the smallest first. */
  layers: LayerSent[];
}

/** One rendition of one's own camera or screen. */
export interface LayerSent {
  height: number;
  /** What is to come of it, bit/s; 0 where it is not encoded: nobody takes it, or there is no room for it. */
  bitrate: number;
  /** Whether the uplink has room for it. */
  room: boolean;
  /** Frames encoded so far. */
  frames: number;
}

/** One's own uplink. Times in ms, rates in bit/s. */
export interface UplinkStats {
  /** What is sent. */
  bitrate: number;
  /** What the uplink takes, where it was seen full in the last 10 s, else 0. */
  capacity: number;
  /** Age of the oldest frame that waits here. */
  queueAge: number;
  /** How long messages queue on the way. */
  delay: number;
  /** Shortest time there and back. */
  rtt: number;
  /** Bytes that may be on the way. */
  window: number;
  /** Frames dropped here, by reason: 'age', 'bytes', 'gate', 'lost'; before they were encoded 'uplink', 'encoder'. */
  drops: Record<string, number>;
  video: VideoSent[];
}

export interface RoomStats {
  uplink: UplinkStats;
  tracks: TrackStats[];
  /** Why nothing can come by WebRTC now; undefined where it can. What each track came by: TrackStats.transport. */
  transportWhy: TransportWhy | undefined;
  reconnects: number;
}

export interface JoinOptions {
  /** Room name, see roomName(). */
  room: string;
  name?: string;
  token?: string;
  /** WebSocket address; by default /ws of the page's own origin. */
  url?: string;
  /** false: nothing is received of the tracks in the room, for a page that only carries chat and topics. Such a page needs no WebCodecs. */
  receive?: boolean;
  /** ws (the default): everything goes over the WebSocket. auto: what is received moves to WebRTC where UDP gets through, and back. */
  transport?: 'auto' | 'ws';
}

/**
 * What a reader of a topic is owed that is behind (docs/protocol.md section 17). latest: the newest value of each key, never
 * a backlog. ordered: every value, in order. lossy: values younger than 200 ms.
 */
export type TopicMode = 'latest' | 'ordered' | 'lossy';

export interface TopicValue {
  key: string;
  /** Any JSON; null says that the key is gone. */
  value: unknown;
  /** The relay numbers the values of a topic. */
  seq: number;
  /** When the relay got it, by its own wall clock, ms since 1970. */
  at: number;
  /** The member that put it. */
  by: string;
}

export interface TopicBatch {
  /** In the order of their numbers. */
  values: TopicValue[];
  /** The relay has begun anew, or it is the first batch: what was told before is void. */
  anew: boolean;
  /** Values of an ordered topic that were gone before they could be told. */
  missed: number;
  /** Numbers that the relay has handed out behind this batch. */
  behind: number;
}

export interface TopicEvents {
  values: TopicBatch;
  /**
   * What was put, or asked, was refused; code as in docs/protocol.md section 12, or 'too-many-values' when more waits than this
   * page keeps. With no-grant, bad-topic, topic-mode and too-many-topics nothing more goes. The room tells it as a notice as well.
   */
  refused: { code: string; text: string };
}

export interface PutOptions {
  /** The key is gone when this member is. It is to be put again where the relay began anew, or this member was away for over its grace. */
  owned?: boolean;
}

/** Small values beside the media, such as prices or the state of a game. */
export interface Topic {
  readonly name: string;
  readonly mode: TopicMode;
  /** Of a latest topic that is followed: the newest value of each key that is not gone. */
  readonly values: ReadonlyMap<string, TopicValue>;
  /** A handler of 'values' makes the topic followed. */
  on<K extends keyof TopicEvents>(event: K, handler: (value: TopicEvents[K]) => void): () => void;
  /** Asks to be told what the topic holds and what comes, at most 50 times a second; after a reconnect it goes on where it was. */
  follow(): void;
  /**
   * Says something: any JSON of up to 4,096 bytes, as it is now. Until it can be sent it waits, and on a latest topic gives way to
   * what is put later under its key; over reconnects nothing is lost or doubled, but for lossy topics. Throws a TopicError.
   */
  put(key: string, value: unknown, options?: PutOptions): void;
  /** Says that the key is gone. */
  remove(key: string): void;
  /** Resolves when the relay has all that was put. Rejects with a JoinError when the topic was refused or the room is over. */
  flush(): Promise<void>;
  /** Stops following, and forgets all handlers. What was put still goes. */
  close(): void;
}

/** Thrown for what cannot be put: code as in docs/protocol.md section 12. */
export class TopicError extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(text);
    this.name = 'TopicError';
    this.code = code;
  }
}

/** How the recording of a room does (docs/protocol.md section 22). */
export interface RecordingInfo {
  id: string;
  /** recording, waiting (for the disk, see why), ending, saved, failed. */
  state: string;
  /** A code, where it waits or has failed: disk-full, disk-slow, disk-error, nothing-came. */
  why: string;
  /** Member id and name of who began it; empty: the operator. */
  by: string;
  byName: string;
  /** Display name of the only members who are recorded; empty: everybody. */
  only: string;
  /** When it began, ms since 1970 by the relay's clock. */
  since: number;
}

/** A recording that is played into the room, for everybody at the same time (docs/protocol.md section 22). */
export interface PlaybackInfo {
  recording: string;
  /** Of a file that was added to the recordings; empty: it was recorded. */
  title: string;
  /** Ids of the members who are played. */
  members: readonly string[];
  /** Display name of who has it played; empty: the operator. */
  byName: string;
  playing: boolean;
  loop: boolean;
  /** Where it was in the recording, ms, when this was heard; from then on it goes on by itself while it plays: see positionOf. */
  position: number;
  /** ms since 1970 by this device's clock. */
  heardAt: number;
  /** ms. */
  length: number;
  /** Recordings that are played behind it, one after another. */
  next: readonly string[];
}

/** Where what is played is now, ms. */
export function positionOf({ playing, position, heardAt, length }: PlaybackInfo, now = Date.now()): number {
  return playing ? Math.min(position + Math.max(0, now - heardAt), length) : position;
}

export interface RoomEvents {
  state: RoomState;
  /** Roster, tracks, mute or names changed: read room.members again. */
  members: undefined;
  chat: ChatMessage;
  /** Something a person should read: notices, non-fatal errors. */
  notice: { code: string; text: string; member?: string };
  /** Members who speak now, loudest first (from the levels of what was received and of one's own microphone). */
  speakers: string[];
  /** Another member offers an object. While nobody listens for it, all offers are declined: listen right after join(). */
  offer: Offer;
  /** The recording began, ended, or does otherwise than before: also in room.recording. */
  recording: RecordingInfo | undefined;
  /** What is played into the room began, ended, or is elsewhere than before: also in room.playback. */
  playback: PlaybackInfo | undefined;
}

/** A joined room. Made by join() in sdk/index.ts; resolves when the first joined message came, rejects with a JoinError. */
export interface Room {
  readonly name: string;
  readonly state: RoomState;
  readonly closeReason: CloseReason | undefined;
  readonly self: MemberInfo;
  /** The others, by id. */
  readonly members: ReadonlyMap<string, MemberInfo>;
  on<K extends keyof RoomEvents>(event: K, handler: (value: RoomEvents[K]) => void): () => void;

  /**
   * Publishes a captured track until it ends or unpublish. The SDK encodes it (VP8, Opus) in a worker. The caller keeps
   * owning the MediaStreamTrack. id is a track id such as 'camera', 'mic', 'screen', 'screen-audio'.
   */
  publish(id: string, source: TrackInfo['source'], track: MediaStreamTrack): Promise<void>;
  unpublish(id: string): void;
  /** Streams a file into the room, for everybody at the same time. Resolves when it has been opened, rejects with a FileStreamError. */
  streamFile(file: Blob, options?: StreamFileOptions): Promise<FileStream>;
  /** Muted tracks send nothing but stay published. */
  mute(id: string, muted: boolean): void;

  /** Paints a received video track onto the canvas (its control is transferred to a worker), until the returned function is called. */
  show(member: string, track: string, canvas: HTMLCanvasElement): () => void;
  /**
   * Chooses what is asked of the relay for a received video track: hidden pauses it; height is that of the tallest picture
   * that is of use, in device pixels, where there is a smaller one (0: any).
   */
  prefer(member: string, track: string, want: { hidden?: boolean; priority?: number; height?: number }): void;
  /** 0 to 1. Received audio plays by itself; call resumeAudio() from a click if the browser holds it back. */
  setVolume(member: string, volume: number): void;
  readonly audioBlocked: boolean;
  resumeAudio(): Promise<void>;
  /** The AudioNode that everything received is mixed into, before the destination: meters and recorders tap here. Made when first asked for where nothing is received. */
  readonly output: AudioNode;

  chat(text: string): void;
  /** A topic of the room; the same object for the same name. Throws a TopicError for a name or mode that cannot be. */
  topic(name: string, mode: TopicMode): Topic;
  /** Offers a file, or any Blob. It is read in slices as it goes. Throws an ObjectError for a name or size that cannot be. */
  send(file: Blob & { readonly name?: string }, options?: SendOptions): Sending;
  /** What was told last of a recording; undefined: there is none that this page knows of. */
  readonly recording: RecordingInfo | undefined;
  /** Whether this member may begin and end recordings. */
  readonly mayRecord: boolean;
  /** Has the relay record the room, or end that. What is refused is told as a notice. */
  record(on: boolean): void;
  /** What is played into the room; undefined: nothing is. */
  readonly playback: PlaybackInfo | undefined;
  /** Whether this member may list recordings, and have them played. */
  readonly mayPlay: boolean;
  readonly recordings: Recordings;
  stats(): Promise<RoomStats>;
  leave(): Promise<void>;
}

/** Thrown by join(): code as in docs/protocol.md section 12, or 'unreachable', 'unsupported-browser'. */
export class JoinError extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(text);
    this.name = 'JoinError';
    this.code = code;
  }
}
