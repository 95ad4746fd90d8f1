// What the page, which alone can have a PeerConnection, and the worker say to each other of it. turn counts PeerConnections, so
// that a word about one that is over is known as such.

/** What has come by one m-line. Times in ms, counts since its beginning. */
export interface RtcLine {
  mid: string;
  bytes: number;
  packets: number;
  jitter: number;
  /** What samples or pictures have waited in the jitter buffer, and how many left it. */
  waited: number;
  emitted: number;
  /** Audio, in samples. */
  concealed: number;
  samples: number;
  /** Of sound: its time by the publisher's clock, and when it is heard by this page's, µs, and its level, 0 to 1. */
  heard?: { us: number; localUs: number; level: number };
}

export type RtcToWorker =
  | { do: 'rtc-offer'; turn: number; sdp: string }
  | { do: 'rtc-up'; turn: number }
  /** It cannot be, or has failed; without text the network is the cause. */
  | { do: 'rtc-failed'; turn: number; text?: string }
  /** Its timestamp is by the publisher's clock. */
  | { do: 'rtc-picture'; turn: number; mid: string; picture: VideoFrame }
  /** The platform's frames of an m-line, each with its RTP timestamp. */
  | { do: 'rtc-frames'; turn: number; mid: string; frames: ReadableStream<VideoFrame> }
  /** RTP packets that came, and that were lost, of all m-lines. */
  | { do: 'rtc-counts'; turn: number; packets: number; lost: number; lines: RtcLine[] };

export type RtcToPage =
  | { is: 'rtc-open'; turn: number }
  | { is: 'rtc-answer'; turn: number; sdp: string }
  /** An m-line carries a track of this member; rtp is the timestamp of us. */
  | { is: 'rtc-line'; turn: number; mid: string; kind: 'audio' | 'video'; member: string; rtp: number; us: number }
  | { is: 'rtc-free'; turn: number; mid: string }
  | { is: 'rtc-count'; turn: number }
  | { is: 'rtc-close'; turn: number }
  /** Whether a member is heard by RTP from now on. */
  | { is: 'rtc-sound'; member: string; rtp: boolean };
