// What the page and its worker say to each other.

import type { ChatMessage, CloseReason, MemberInfo, PlaybackInfo, RecordingInfo, RoomState, RoomStats, TopicBatch, TopicMode, TrackInfo } from './api';
import type { FilesToPage, FilesToWorker } from './file/bridge';
import type { ObjectsToPage, ObjectsToWorker } from './objects/bridge';
import type { SessionOptions } from './session/session';
import type { PutValue } from './session/topic-queue';
import type { RtcToPage, RtcToWorker } from './rtc/bridge';
import type { Want } from './receive/preferences';
import type { SoundClock } from './receive/sound';

export type ToWorker =
  | ObjectsToWorker
  | FilesToWorker
  | RtcToWorker
  | { do: 'start'; options: SessionOptions; transport: 'auto' | 'ws' }
  | { do: 'publish'; call: number; id: string; kind: 'audio' | 'video'; source: TrackInfo['source'] }
  /** The platform's frames of the track that was published with this call. */
  | { do: 'frames'; call: number; readable: ReadableStream<VideoFrame | AudioData> }
  | { do: 'captured'; id: string; data: VideoFrame | AudioData }
  | { do: 'sound-captured'; id: string; us: number; sampleRate: number; pcm: Float32Array[] }
  | { do: 'unpublish'; id: string }
  | { do: 'mute'; id: string; muted: boolean }
  | { do: 'surface'; surface: number; canvas: OffscreenCanvas }
  | { do: 'drop-surface'; surface: number }
  | { do: 'show'; member: string; track: string; surface: number }
  | { do: 'hide'; member: string; track: string; surface: number }
  | { do: 'prefer'; member: string; track: string; want: Want }
  /** The AudioContext's clock against this page's, both µs since 1970 for the page's part. */
  | { do: 'sound-clock'; clock: SoundClock }
  | { do: 'chat'; text: string }
  | { do: 'put'; topic: string; mode: TopicMode; values: PutValue[] }
  | { do: 'follow'; topic: string; mode: TopicMode }
  | { do: 'unfollow'; topic: string }
  /** Answered when the relay has all that was put. */
  | { do: 'flush'; call: number; topic: string }
  | { do: 'record'; on: boolean }
  | { do: 'stats'; call: number }
  | { do: 'leave'; call: number }
  | { do: 'network' };

export type ToPage =
  | ObjectsToPage
  | FilesToPage
  | RtcToPage
  | { is: 'state'; state: RoomState; reason?: CloseReason }
  /** The resume token that is good now. */
  | { is: 'resume'; token: string }
  | { is: 'roster'; self: MemberInfo; members: MemberInfo[] }
  | { is: 'chat'; message: ChatMessage }
  | { is: 'notice'; code: string; text: string; member?: string }
  | { is: 'data'; topic: string; batch: TopicBatch }
  /** Something that was put, or asked, on a topic. */
  | { is: 'topic-refused'; topic: string; code: string; text: string }
  | { is: 'speakers'; members: string[] }
  | { is: 'recording'; recording: RecordingInfo | undefined; may: boolean }
  | { is: 'playback'; playback: PlaybackInfo | undefined; may: boolean }
  /** A received audio track begins: connect a player to this port. */
  | { is: 'sound'; key: number; member: string; port: MessagePort }
  | { is: 'sound-over'; key: number }
  /** A published track is over: its encoder failed, or the relay refused it. */
  | { is: 'unpublished'; id: string }
  | { is: 'done'; call: number }
  | { is: 'failed'; call: number; code: string; text: string }
  | { is: 'stats'; call: number; stats: RoomStats };
