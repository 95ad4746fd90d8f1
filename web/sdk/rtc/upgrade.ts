// Moves what is received from the WebSocket to a PeerConnection and back (docs/protocol.md section 20), one publisher at a time.
// The worker decides, the page's Peer does.

import type { TransportWhy } from '../api';
import type { Receiver } from '../receive/receiver';
import type { Outgoing, ServerMessage } from '../wire/messages';
import { Alive } from './alive';
import type { RtcLine, RtcToPage, RtcToWorker } from './bridge';
import { Frames } from './frames';
import { Retry } from './retry';

/** The first pictures and sounds of a call have the machine to themselves. */
const FIRST_MS = 1_000;
const OPEN_MS = 5_000;
const COUNT_MS = 200;
/** The same where nothing has come since the last look. */
const DOUBT_MS = 50;
/** So long RTP has to keep up before it is heard: until then pictures are shown of whichever path is first. */
const PROVE_MS = 600;
/** From the change of what is heard until the relay is told: the crossfade is over then. */
const SETTLE_MS = 100;
/**
 * A publisher whose media does not come in time by RTP stays where it is, and is tried again. Chromium takes ten seconds and more to shorten a
 * buffer of sound that was long at first.
 */
const READY_MS = 20_000;
const AGAIN_MS = 60_000;
/** Where so much is lost over this time, the WebSocket does better. */
const LOSS = 0.15;
const LOSS_MS = 5_000;
const MAX_LINES = 32;
/** After so long by both paths sound need not be at the same place by both to change over. */
const MEET_MS = 5_000;
/** So long the WebSocket may take to be as far as RTP, where it is to take over again. */
const BACK_MS = 5_000;

export interface UpgradeHost {
  send(message: Outgoing): boolean;
  post(message: RtcToPage): void;
  nextReq(): number;
  /** The tracks that are received of a member. */
  of(member: string): Receiver[];
  level(member: string, level: number, voice: boolean): void;
}

/**
 * both: tried by RTP. proving: RTP is seen where it is first. turning: it is heard; the relay does not know yet. returning: the WebSocket
 * carries it as well, to take over again. leaving: that is heard; the relay does not know yet.
 */
interface Pair {
  state: 'both' | 'proving' | 'turning' | 'webrtc' | 'returning' | 'leaving' | 'websocket';
  /** proving: since when RTP has kept up. */
  since: number;
  /** Both paths carry since then. */
  both: number;
}

interface Place {
  member: string;
  track: string;
  pair: { rtp: number; us: number };
  receiver: Receiver | undefined;
  frames?: Frames;
}

export class Upgrade {
  /** Why media comes over the WebSocket; undefined while it need not. */
  why: TransportWhy | undefined;
  private phase: 'off' | 'waiting' | 'opening' | 'up' = 'off';
  /** The path that a test asks for. */
  private forced: 'websocket' | 'webrtc' | undefined;
  private turn = 0;
  private req = 0;
  private since = 0;
  private countedAt = 0;
  private retry = new Retry();
  private alive = new Alive();
  private packets = 0;
  private doubt = false;
  private loss: { at: number; packets: number; lost: number } | undefined;
  private readonly pairs = new Map<string, Pair>();
  private readonly places = new Map<string, Place>();

  constructor(private readonly host: UpgradeHost) {}

  /** In the room, or in it again. never: there can be no PeerConnection, for this reason. */
  joined(never: TransportWhy | undefined, now: number): void {
    this.lost();
    this.why = never ?? 'trying';
    this.phase = never ? 'off' : 'waiting';
    this.retry.at(now + FIRST_MS);
  }

  /** The WebSocket was lost, and the PeerConnection beside it. */
  lost(): void {
    this.end();
    this.phase = 'off';
  }

  tick(now: number): void {
    if (this.phase === 'waiting' && this.forced !== 'websocket' && this.retry.due(now)) this.open(now);
    if (this.phase === 'opening' && now - this.since > OPEN_MS) return this.fail('blocked', now);
    if (this.phase !== 'up') return;
    if (now - this.countedAt >= (this.doubt ? DOUBT_MS : COUNT_MS)) {
      this.countedAt = now;
      this.host.post({ is: 'rtc-count', turn: this.turn });
    }
    for (const [mid, place] of this.places) this.settle(mid, place);
    for (const [member, pair] of this.pairs) this.step(member, pair, now);
  }

  private open(now: number): void {
    this.phase = 'opening';
    this.why = 'trying';
    this.since = now;
    this.host.post({ is: 'rtc-open', turn: ++this.turn });
  }

  /** Takes a message of the relay; false when it is about something else. */
  control(message: ServerMessage, now: number): boolean {
    switch (message.type) {
      case 'rtcAnswer':
        if (message.req === this.req) this.host.post({ is: 'rtc-answer', turn: this.turn, sdp: message.sdp });
        return true;
      case 'error':
        if (message.req === 0 || message.req !== this.req) return false;
        this.fail('refused', now);
        return true;
      case 'rtcTrack':
        this.carries(message, now);
        return true;
      case 'rtcEnd':
        this.free(message.mid);
        return true;
      case 'rtcSent':
        this.alive.states(message.packets);
        return true;
      case 'rtcPath':
        if (message.path === 'websocket') this.stays(message.member, now);
        return true;
      case 'rtcForce':
        this.force(message.path, now);
        return true;
      case 'rtcClose':
        if (this.phase === 'up' || this.phase === 'opening') this.fail(message.reason === 'never' ? 'blocked' : 'lost', now);
        return true;
      case 'memberLeft':
        this.pairs.delete(message.id);
        return false;
      default:
        return false;
    }
  }

  handle(message: RtcToWorker, now: number): void {
    if (message.turn !== this.turn || this.phase === 'waiting' || this.phase === 'off') {
      if (message.do === 'rtc-picture') message.picture.close();
      if (message.do === 'rtc-frames') void message.frames.cancel().catch(() => undefined);
      return;
    }
    switch (message.do) {
      case 'rtc-offer':
        this.req = this.host.nextReq();
        this.host.send({ type: 'rtcOffer', req: this.req, sdp: message.sdp, both: true });
        return;
      case 'rtc-up':
        this.phase = 'up';
        this.since = now;
        this.alive = new Alive();
        this.loss = undefined;
        this.why = undefined;
        return;
      case 'rtc-failed':
        return this.fail(message.text ? 'browser' : this.phase === 'up' ? 'lost' : 'blocked', now);
      case 'rtc-picture':
        return this.picture(message.mid, message.picture);
      case 'rtc-frames':
        return this.frames(message);
      case 'rtc-counts':
        return this.counts(message, now);
    }
  }

  private carries({ mid, member, track, rtp, us }: Extract<ServerMessage, { type: 'rtcTrack' }>, now: number): void {
    if (!this.places.has(mid) && this.places.size >= MAX_LINES) return;
    this.free(mid);
    this.places.set(mid, { member, track, pair: { rtp, us }, receiver: undefined });
    if (!this.pairs.has(member)) {
      this.pairs.set(member, { state: 'both', since: now, both: now });
      if (this.forced) this.forceOne(member, now);
    }
    this.settle(mid, this.places.get(mid)!);
  }

  /** Gives an m-line to its track once that is known; the word of either may be the first. */
  private settle(mid: string, place: Place): void {
    const receiver = this.host.of(place.member).find(({ remote }) => remote.track.id === place.track);
    if (receiver === place.receiver) return;
    place.receiver = receiver;
    if (!receiver) return this.host.post({ is: 'rtc-free', turn: this.turn, mid });
    const kind = receiver.remote.track.kind === 'audio' ? 'audio' : 'video';
    receiver.line = { us: -Infinity, bytes: 0, packets: 0, jitter: 0, delay: 0 };
    this.host.post({ is: 'rtc-line', turn: this.turn, mid, kind, member: place.member, ...place.pair });
  }

  private free(mid: string): void {
    const place = this.places.get(mid);
    if (!place) return;
    this.places.delete(mid);
    place.frames?.stop();
    if (place.receiver) place.receiver.line = undefined;
    this.host.post({ is: 'rtc-free', turn: this.turn, mid });
  }

  private picture(mid: string, picture: VideoFrame): void {
    const receiver = this.places.get(mid)?.receiver;
    if (receiver) receiver.takePicture(picture);
    else picture.close();
  }

  private frames({ mid, frames }: Extract<RtcToWorker, { do: 'rtc-frames' }>): void {
    const place = this.places.get(mid);
    if (!place) return void frames.cancel().catch(() => undefined);
    place.frames?.stop();
    place.frames = new Frames(frames, place.pair, (picture) => (place.receiver ? place.receiver.takePicture(picture) : picture.close()));
  }

  private counts({ packets, lost, lines }: Extract<RtcToWorker, { do: 'rtc-counts' }>, now: number): void {
    for (const line of lines) this.note(line, now);
    this.doubt = packets === this.packets;
    this.packets = packets;
    if (this.alive.lost(packets, now)) return this.fail('lost', now);
    this.loss ??= { at: now, packets, lost };
    if (now - this.loss.at < LOSS_MS) return;
    const gone = lost - this.loss.lost;
    const came = packets - this.loss.packets;
    this.loss = { at: now, packets, lost };
    if (came > 0 && gone / (came + gone) > LOSS) this.fail('loss', now);
  }

  private note(line: RtcLine, now: number): void {
    const place = this.places.get(line.mid);
    if (!place?.receiver) return;
    place.receiver.note(line, now);
    if (!line.heard || !place.receiver.byRtp) return;
    const { level } = line.heard;
    this.host.level(place.member, level > 0 ? Math.min(127, Math.round(-20 * Math.log10(level))) : 127, level > SPEAKS);
  }

  /** Looks whether a publisher's tracks can change over, or have. */
  private step(member: string, pair: Pair, now: number): void {
    const tracks = this.host.of(member);
    const ready = tracks.some(({ line }) => line) && tracks.every((track) => track.ready(now));
    const tried = pair.state === 'both' || pair.state === 'proving';
    if (pair.state === 'proving' && !ready) pair.since = now;
    if (tried && now - pair.both > READY_MS) {
      this.ask(member, 'websocket', now);
    } else if (pair.state === 'both' && ready) {
      Object.assign(pair, { state: 'proving', since: now });
    } else if (pair.state === 'proving' && now - pair.since > PROVE_MS && (tracks.every(({ met }) => met) || now - pair.both > MEET_MS)) {
      Object.assign(pair, { state: 'turning', since: now });
      this.host.post({ is: 'rtc-sound', member, rtp: true });
    } else if (pair.state === 'turning' && now - pair.since > SETTLE_MS) {
      Object.assign(pair, { state: 'webrtc', since: now });
      this.host.send({ type: 'rtcPath', member, path: 'webrtc' });
    } else if (pair.state === 'returning' && (tracks.every((track) => track.readyBack(now)) || now - pair.since > BACK_MS)) {
      Object.assign(pair, { state: 'leaving', since: now });
      this.host.post({ is: 'rtc-sound', member, rtp: false });
    } else if (pair.state === 'leaving' && now - pair.since > SETTLE_MS) {
      this.ask(member, 'websocket', now);
    } else if (pair.state === 'websocket' && now - pair.since > AGAIN_MS && this.forced !== 'websocket') {
      this.ask(member, 'both', now);
    }
    const heard = pair.state === 'turning' || pair.state === 'webrtc' || pair.state === 'returning';
    const seen = heard || pair.state === 'proving';
    for (const track of tracks) {
      track.meet(pair.state === 'proving' || pair.state === 'returning');
      const rtp = track.remote.track.kind === 'audio' ? heard : seen;
      if (track.byRtp !== rtp) track.turnTo(rtp);
    }
  }

  /** Has a publisher come by both paths, to be tried by RTP, or by the WebSocket alone. */
  private ask(member: string, path: 'both' | 'websocket', now: number): void {
    if (path === 'websocket') this.stays(member, now);
    else this.pairs.set(member, { state: 'both', since: now, both: now });
    this.host.send({ type: 'rtcPath', member, path });
  }

  /** Changes over where a test asks for it, and stays there. */
  private force(path: 'any' | 'websocket' | 'webrtc', now: number): void {
    this.forced = path === 'any' ? undefined : path;
    if (path === 'webrtc' && this.phase === 'waiting') this.retry.at(now);
    if (this.phase === 'up' && this.forced) for (const member of [...this.pairs.keys()]) this.forceOne(member, now);
  }

  private forceOne(member: string, now: number): void {
    const pair = this.pairs.get(member)!;
    if (this.forced === 'webrtc') {
      if (pair.state === 'websocket') this.ask(member, 'both', now);
      else if (pair.state === 'returning') Object.assign(pair, { state: 'turning', since: now });
      else if (pair.state === 'leaving') Object.assign(pair, { state: 'both', since: now, both: now });
      return;
    }
    if (pair.state === 'both' || pair.state === 'proving') this.ask(member, 'websocket', now);
    if (pair.state === 'webrtc') this.host.send({ type: 'rtcPath', member, path: 'both' });
    if (pair.state === 'webrtc' || pair.state === 'turning') Object.assign(pair, { state: 'returning', since: now });
  }

  /** A publisher comes over the WebSocket, while others may come by RTP. */
  private stays(member: string, now: number): void {
    this.pairs.set(member, { state: 'websocket', since: now, both: now });
    this.restore(member);
  }

  private restore(member: string): void {
    for (const track of this.host.of(member)) track.turnTo(false);
    this.host.post({ is: 'rtc-sound', member, rtp: false });
  }

  /** Everything comes over the WebSocket; later UDP is tried again. */
  private fail(why: TransportWhy, now: number): void {
    const ranMs = this.phase === 'up' ? now - this.since : 0;
    this.host.send({ type: 'rtcClose', reason: why === 'lost' ? 'timeout' : 'closed' });
    this.end();
    this.why = why;
    this.phase = why === 'refused' || why === 'browser' ? 'off' : 'waiting';
    this.retry.failed(ranMs, now);
  }

  private end(): void {
    if (this.phase !== 'up' && this.phase !== 'opening') return;
    for (const mid of [...this.places.keys()]) this.free(mid);
    for (const member of this.pairs.keys()) this.restore(member);
    this.pairs.clear();
    this.host.post({ is: 'rtc-close', turn: this.turn });
  }
}

/** So loud is a voice. */
const SPEAKS = 0.01;
