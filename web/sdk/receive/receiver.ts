// One received track, from chunks to what is seen or heard.

import { nowUs, wallUs } from '../session/clock';
import type { RemoteTrack } from '../session/roster';
import type { WireTrack } from '../wire/messages';
import type { Media } from '../session/link';
import { LEVEL_UNKNOWN } from '../wire/wire';
import type { Chunk } from '../wire/wire';
import type { RtcLine } from '../rtc/bridge';
import type { LayerReceived, LayerWhy } from '../api';
import { AudioDecode } from './decode-audio';
import { VideoDecode } from './decode-video';
import { Overload } from './overload';
import type { Heard } from './playout';
import { Reassembly } from './reassembly';
import type { WholeFrame } from './reassembly';
import { Screen } from './screen';
import type { Sound } from './sound';
import { TrackClock } from './unwrap';

const KEY_REQUEST_US = 1_000_000;
/** Some frames (VP8 alt-ref) give no picture, so a burst may end without a last one. */
const CANDIDATE_MS = 60;

export interface ReceiverHost {
  /** Asks for a key frame of the track. */
  needKey(remote: RemoteTrack): void;
  /** What of this member is heard now. */
  heard(member: string): Heard | undefined;
  level(member: string, level: number, voice: boolean): void;
}

/** Something came lately, ms. */
const LATELY_MS = 1_000;
const FRESH_MS = 500;
/** RTP may be so much later than the WebSocket when it takes over, µs: so long the picture stands, or sound is heard again if it is not met. */
const LATER_US = 150_000;
const SOUND_LATER_US = 190_000;
/** Sound of both paths is at the same place where it is so near, µs. */
const MET_US = 20_000;
/** Looks at how late RTP is heard, of which the middle one counts. */
const LOOKS = 5;

/** What has come of a track by RTP. Times in ms but us: of the newest picture or sound, by the publisher's clock. */
export interface RtpState extends Pick<RtcLine, 'bytes' | 'packets' | 'jitter'> {
  us: number;
  /** In the jitter buffer. */
  delay: number;
  /** When that was. */
  at?: number;
  /** How much later than its time by the publisher's clock sound was heard, µs, at the last looks. */
  behind?: number[];
  /** Share of replaced sound, and what it was reckoned from. */
  concealed?: number;
  counts?: RtcLine;
}

/** What video and audio receivers have in common: reassembly, clock, counts. */
export abstract class Receiver {
  /** Where RTP carries the track as well. */
  line: RtpState | undefined;
  /** It is seen or heard by RTP. */
  byRtp = false;
  /** When the last whole frame came over the WebSocket, ms. */
  protected cameAt = -Infinity;
  readonly since = nowUs();
  bytes = 0;
  protected readonly reassembly = new Reassembly();
  private clock: TrackClock;

  constructor(
    readonly remote: RemoteTrack,
    protected readonly host: ReceiverHost,
  ) {
    this.clock = clockOf(remote.track);
  }

  /** Format or mute state changed. */
  update(remote: RemoteTrack): void {
    this.remote.track = remote.track;
  }

  /** The publisher's capture time of a timestamp, µs since 1970 by its wall clock. */
  protected capturedAt(us: number): number {
    const { clock } = this.remote.track;
    return clock ? clock.wallUs + (us - clock.us) : 0;
  }

  /** Age of what is put out now, ms: its capture until now by the wall clocks. */
  protected latencyOf(us: number): number {
    return this.remote.track.clock ? (wallUs() - this.capturedAt(us)) / 1000 : 0;
  }

  take(message: Media): void {
    if (message.kind === 'chunk') this.chunk(message);
    else if (message.kind === 'abandon') {
      if (this.reassembly.abandon(message.alias, message.group)) this.broke();
    } else if (message.kind === 'catch-up') {
      if (message.begin) this.reassembly.restart(message.alias, message.group);
      this.mark(message.begin);
    }
  }

  private chunk(chunk: Chunk): void {
    this.bytes += chunk.payload.length;
    const progress = this.reassembly.push(chunk);
    if (progress === 'fault') this.fault();
    if (typeof progress === 'string') return;
    this.cameAt = performance.now();
    this.frame(progress, this.clock.full(progress.timestamp, nowUs()));
  }

  /** The connection was replaced: what is incomplete stays so. */
  interrupt(): void {
    this.reassembly.reset();
    this.mark(false);
    this.broke();
  }

  /** Takes the counts of its m-line. */
  note(counts: RtcLine, nowMs: number): void {
    const { line } = this;
    if (!line) return;
    this.bytes += counts.bytes - line.bytes;
    const before = line.counts ?? counts;
    const share = (part: 'concealed' | 'waited', whole: 'samples' | 'emitted', otherwise: number): number =>
      counts[whole] > before[whole] ? (counts[part] - before[part]) / (counts[whole] - before[whole]) : otherwise;
    const { bytes, packets, jitter } = counts;
    const concealed = share('concealed', 'samples', 0);
    Object.assign(line, { bytes, packets, jitter, counts, concealed, delay: share('waited', 'emitted', line.delay) });
    if (counts.heard) {
      const behind = counts.heard.localUs - performance.timeOrigin * 1000 - counts.heard.us;
      Object.assign(line, { us: nowMs * 1000 - behind, at: nowMs, behind: [...(line.behind ?? []), behind].slice(-LOOKS) });
    }
  }

  /** Whether RTP may take over now: it is there, or nothing of the track comes anyway. */
  ready(nowMs: number): boolean {
    return this.line ? this.caughtUp(this.line, nowMs) : nowMs - this.cameAt > LATELY_MS;
  }

  /** While on, what comes over the WebSocket goes to the place where RTP is. */
  meet(_on: boolean): void {}

  /** Whether both paths are at one place, so that a change is not noticed. */
  get met(): boolean {
    return true;
  }

  /** Whether the WebSocket may take over again: it is as far as RTP, or nothing of the track comes anyway. */
  readyBack(nowMs: number): boolean {
    return nowMs - this.cameAt < FRESH_MS ? this.cameBack(nowMs) : nowMs - (this.line?.at ?? -Infinity) > LATELY_MS;
  }

  /** From now on it is seen or heard by RTP, or by the WebSocket. */
  turnTo(rtp: boolean): void {
    this.byRtp = rtp;
  }

  /** Takes over a picture that came by RTP. */
  takePicture(picture: VideoFrame): void {
    picture.close();
  }

  protected abstract caughtUp(line: RtpState, nowMs: number): boolean;
  protected abstract cameBack(nowMs: number): boolean;
  abstract readonly backlogMs: number;
  abstract close(): void;
  protected abstract frame(frame: WholeFrame, us: number): void;
  protected abstract broke(): void;
  protected abstract fault(): void;
  protected abstract mark(begin: boolean): void;
}

function clockOf(track: WireTrack): TrackClock {
  return new TrackClock(track.atUs || track.clock?.us || 0, nowUs());
}

export class VideoReceiver extends Receiver {
  readonly screen: Screen;
  readonly decode: VideoDecode;
  /** Between two catch-up markers. */
  private catchingUp = false;
  /** Newest picture of a burst that is still coming; shown when nothing newer does. */
  private candidate: VideoFrame | undefined;
  private candidateTimer: ReturnType<typeof setTimeout> | undefined;
  private askedAt = -Infinity;
  /** Of the newest picture that came over the WebSocket. */
  private decodedUs = -Infinity;
  /** Alias of the layer that is received. */
  private alias = 0;
  private readonly overload = new Overload();
  /** Why the relay sends this layer, by its own account. */
  why: LayerWhy = 'asked';

  constructor(remote: RemoteTrack, host: ReceiverHost) {
    super(remote, host);
    this.screen = new Screen(() => host.heard(remote.member));
    this.decode = new VideoDecode(remote.track, {
      picture: (picture, catchUp) => this.picture(picture, catchUp),
      needKey: () => this.needKey(),
    });
  }

  override update(remote: RemoteTrack): void {
    super.update(remote);
    this.decode.setFormat(remote.track);
  }

  get backlogMs(): number {
    return this.decode.backlogMs;
  }

  get latency(): number {
    const last = this.screen.last;
    return last ? this.latencyOf(last.us) - (nowUs() - last.at) / 1000 : 0;
  }

  close(): void {
    this.dropCandidate();
    this.decode.close();
    this.screen.close();
  }

  /** The layer that is received; undefined where there is only one. limited: less is asked for, for the sake of this device. */
  layer(limited: boolean): LayerReceived | undefined {
    const { layers } = this.remote.track;
    const height = layers.find((layer) => (this.byRtp ? layer.height === this.screen.height : layer.alias === this.alias))?.height;
    if (layers.length < 2 || !height) return undefined;
    return { height, of: layers.map((layer) => layer.height), why: limited && this.why === 'asked' ? 'device' : this.why };
  }

  /** The tallest picture that this device decodes in time; 0: any. */
  get limit(): number {
    const { best } = this.overload;
    return best === undefined ? 0 : (this.remote.track.layers[best]?.height ?? 0);
  }

  /** Looks whether this device keeps up; returns whether the limit is another one now. */
  watch(nowMs: number): boolean {
    const { layers } = this.remote.track;
    const at = layers.findIndex(({ alias }) => alias === this.alias);
    return at >= 0 && this.overload.update(this.decode.behind, at, layers.length, nowMs);
  }

  override turnTo(rtp: boolean): void {
    super.turnTo(rtp);
    this.screen.turnTo(rtp);
  }

  override takePicture(picture: VideoFrame): void {
    if (this.line) Object.assign(this.line, { us: picture.timestamp, at: performance.now() });
    this.screen.fromRtp(picture);
  }

  protected caughtUp(line: RtpState): boolean {
    return line.us >= (this.screen.last?.us ?? -Infinity) - LATER_US && line.us > -Infinity;
  }

  protected cameBack(): boolean {
    return this.decodedUs >= (this.screen.last?.us ?? Infinity) - LATER_US;
  }

  protected frame(frame: WholeFrame, us: number): void {
    this.alias = frame.alias;
    this.decode.push({ frame, us, catchUp: this.catchingUp });
  }

  protected broke(): void {
    this.decode.breakOff();
  }

  protected fault(): void {
    this.decode.breakOff();
    this.needKey();
  }

  /** Asks for a key frame, at most once a second. */
  private needKey(): void {
    const now = nowUs();
    if (now - this.askedAt < KEY_REQUEST_US) return;
    this.askedAt = now;
    this.host.needKey(this.remote);
  }

  protected mark(begin: boolean): void {
    this.catchingUp = begin;
  }

  private picture(picture: VideoFrame, catchUp: boolean): void {
    this.decodedUs = picture.timestamp;
    this.dropCandidate();
    if (!catchUp) this.screen.push(picture);
    else if (this.decode.idle) this.screen.showNow(picture);
    else {
      this.candidate = picture;
      this.candidateTimer = setTimeout(() => {
        this.candidate = undefined;
        this.screen.showNow(picture);
      }, CANDIDATE_MS);
    }
  }

  private dropCandidate(): void {
    clearTimeout(this.candidateTimer);
    this.candidate?.close();
    this.candidate = undefined;
  }
}

export class AudioReceiver extends Receiver {
  private readonly decode: AudioDecode;
  private meeting = false;

  constructor(
    remote: RemoteTrack,
    host: ReceiverHost,
    readonly sound: Sound,
  ) {
    super(remote, host);
    this.decode = new AudioDecode(remote.track, sound.port);
  }

  override update(remote: RemoteTrack): void {
    super.update(remote);
    this.decode.setFormat(remote.track);
    if (remote.track.muted) this.host.level(remote.member, LEVEL_UNKNOWN, false);
  }

  get backlogMs(): number {
    return 0;
  }

  protected caughtUp(line: RtpState, nowMs: number): boolean {
    if (nowMs - (line.at ?? -Infinity) > FRESH_MS) return this.remote.track.muted && nowMs - this.cameAt > LATELY_MS;
    const heard = this.sound.heard();
    const byRtp = line.us + (nowMs - (line.at ?? nowMs)) * 1000;
    return !heard || byRtp >= heard.mediaUs + nowUs() - heard.localUs - SOUND_LATER_US;
  }

  protected cameBack(nowMs: number): boolean {
    return nowMs - (this.line?.at ?? -Infinity) > FRESH_MS || (this.sound.heard() !== undefined && this.met);
  }

  /** How much later than its time sound of RTP is heard, µs. */
  private get behind(): number | undefined {
    const looks = this.line?.behind ?? [];
    return looks.toSorted((a, b) => a - b)[looks.length >> 1];
  }

  override meet(on: boolean): void {
    if (!on && !this.meeting) return;
    this.meeting = on;
    this.sound.meet(on ? this.behind : undefined);
  }

  override get met(): boolean {
    const heard = this.sound.heard();
    const { behind } = this;
    return !heard || behind === undefined || Math.abs(heard.localUs - heard.mediaUs - behind) < MET_US;
  }

  get latency(): number {
    if (this.byRtp) return this.line?.at === undefined ? 0 : this.latencyOf(this.line.us) - (performance.now() - this.line.at);
    const heard = this.sound.heard();
    return heard ? this.latencyOf(heard.mediaUs) - (nowUs() - heard.localUs) / 1000 : 0;
  }

  close(): void {
    this.host.level(this.remote.member, LEVEL_UNKNOWN, false);
    this.decode.close();
  }

  protected frame(frame: WholeFrame, us: number): void {
    this.host.level(this.remote.member, frame.level, frame.voice);
    this.decode.push(frame.data, us);
  }

  protected broke(): void {}

  protected fault(): void {}

  protected mark(): void {}
}
