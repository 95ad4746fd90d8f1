// The room inside the worker: the session, what is sent, what is received, and the talk with the page.

import type { ToPage, ToWorker } from './bridge';
import { Files } from './file/files';
import { memberInfo, Roster } from './session/roster';
import { Objects } from './objects/objects';
import { Outbox } from './session/outbox';
import { Topics } from './session/topics';
import { Session } from './session/session';
import type { SessionHandler, SessionOptions } from './session/session';
import type { Link, MakeSocket, Media } from './session/link';
import { Receiving } from './receive/receiving';
import { Sending } from './send/sending';
import type { Joined, Offer, Outgoing, ServerMessage } from './wire/messages';
import { Upgrade } from './rtc/upgrade';
import type { CloseReason, RoomState, TransportWhy } from './api';

const LOOK_MS = 150;
const UPGRADE_MS = 50;

export class Engine implements SessionHandler {
  private readonly session: Session;
  private readonly roster: Roster;
  private readonly sending: Sending;
  private readonly receiving: Receiving;
  private readonly files: Files;
  private readonly outbox = new Outbox();
  private readonly topics: Topics;
  private readonly objects: Objects;
  private req = 0;
  /** The stamp of the newest chat that came. */
  chatAtUs = 0;
  private rosterDue = false;
  private readonly upgrade: Upgrade;
  /** Why there can be no WebRTC. */
  private never: TransportWhy | undefined;
  private readonly timers: ReturnType<typeof setInterval>[];
  /** Whether the relay records, and this member may have it do so. */
  private records = false;
  private plays = false;
  private mayRecord = false;

  constructor(
    private readonly options: SessionOptions,
    make: MakeSocket,
    private readonly post: (message: ToPage, transfer?: Transferable[]) => void,
    private readonly transport: 'auto' | 'ws' = 'ws',
  ) {
    const send = (message: Outgoing): boolean => this.session.send(message);
    this.session = new Session(options, this, make);
    this.receiving = new Receiving({ send, post: (m) => post(m, m.is === 'sound' ? [m.port] : []) });
    this.roster = new Roster(this.receiving);
    this.topics = new Topics({ post, nextReq: () => ++this.req, link: () => this.session.link });
    const run = (): void => this.sending.run();
    this.objects = new Objects({ post, send, run, nextReq: () => ++this.req }, (id) => this.roster.members.get(id)?.name ?? '');
    this.sending = new Sending({
      data: this.topics,
      objects: this.objects,
      send,
      sendBinary: (data) => this.session.link?.sendBinary(data),
      nextReq: () => ++this.req,
      link: () => this.session.link,
      post,
      tracksChanged: () => this.tellRoster(),
      ownLevel: (level, voice) => this.receiving.level(this.roster.self.id, level, voice),
    });
    this.files = new Files(this.sending, post);
    this.upgrade = new Upgrade({
      send,
      post,
      nextReq: () => ++this.req,
      of: (member) => this.receiving.of(member),
      level: (member, level, voice) => this.receiving.level(member, level, voice),
    });
    this.timers = [setInterval(() => this.look(), LOOK_MS)];
    if (transport === 'auto') this.timers.push(setInterval(() => this.upgrade.tick(performance.now()), UPGRADE_MS));
    this.session.start();
  }

  handle(message: Exclude<ToWorker, { do: 'start' }>): void {
    switch (message.do) {
      case 'publish':
        return this.sending.publish(message.call, message.id, message.kind, message.source);
      case 'frames':
        return this.sending.frames(message.call, message.readable);
      case 'captured':
        return this.sending.captured(message.id, message.data);
      case 'sound-captured':
        return this.sending.captured(message.id, soundData(message));
      case 'unpublish':
        return this.sending.unpublish(message.id);
      case 'mute':
        return this.sending.mute(message.id, message.muted);
      case 'stream-file':
      case 'control-file':
        return this.files.handle(message);
      case 'surface':
        return this.receiving.surfaces.add(message.surface, message.canvas);
      case 'drop-surface':
        return this.receiving.surfaces.drop(message.surface);
      case 'show':
        return this.receiving.show(message.member, message.track, message.surface);
      case 'hide':
        return this.receiving.hide(message.member, message.track, message.surface);
      case 'prefer':
        return this.receiving.preferences.set(message.member, message.track, message.want);
      case 'sound-clock':
        return this.receiving.setSoundClock(message.clock);
      case 'chat':
        return this.chat(message.text);
      case 'put':
        this.topics.put(message.topic, message.mode, message.values, performance.now());
        return this.sending.run();
      case 'follow':
        return this.topics.follow(message.topic, message.mode);
      case 'unfollow':
        return this.topics.unfollow(message.topic);
      case 'flush':
        return this.topics.flush(message.call, message.topic);
      case 'record':
        this.session.send({ type: 'record', on: message.on });
        return;
      case 'stats':
        return this.tellStats(message.call);
      case 'leave':
        void this.leave(message.call);
        return;
      case 'network':
        return this.session.kick();
      case 'rtc-offer':
      case 'rtc-up':
      case 'rtc-failed':
      case 'rtc-picture':
      case 'rtc-frames':
      case 'rtc-counts':
        return this.upgrade.handle(message, performance.now());
      default:
        return this.objects.handle(message);
    }
  }

  private chat(text: string): void {
    const refused = this.outbox.add(++this.req, text);
    if (refused === 'bad-chat') this.post({ is: 'notice', code: 'bad-chat', text: 'a message has 1 to 4,096 bytes' });
    if (refused === 'too-many') this.post({ is: 'notice', code: 'offline', text: 'too many messages wait to be sent' });
    this.flushChat();
  }

  private flushChat(): void {
    const { link } = this.session;
    if (link) this.outbox.flush((m) => link.send(m), link.rate);
  }

  private tellStats(call: number): void {
    const stats = {
      uplink: this.sending.stats(),
      tracks: this.receiving.trackStats(),
      transportWhy: this.upgrade.why,
      reconnects: this.session.reconnects,
    };
    this.post({ is: 'stats', call, stats });
  }

  private async leave(call: number): Promise<void> {
    await this.session.leave();
    this.post({ is: 'done', call });
  }

  private look(): void {
    this.objects.tick(performance.now());
    this.receiving.watchDecoders(performance.now());
    const members = this.receiving.speakersChanged();
    if (members) this.post({ is: 'speakers', members });
  }

  /** Tells the roster once, however many messages changed it just now. */
  private tellRoster(): void {
    if (this.rosterDue) return;
    this.rosterDue = true;
    queueMicrotask(() => this.rosterDue && this.tellRosterNow());
  }

  private tellRosterNow(): void {
    this.rosterDue = false;
    const self = { ...memberInfo(this.roster.self), tracks: this.sending.tracks() };
    this.post({ is: 'roster', self, members: [...this.roster.members.values()].map(memberInfo) });
  }

  state(state: RoomState, reason?: CloseReason): void {
    if (state === 'closed') {
      for (const timer of this.timers) clearInterval(timer);
      this.upgrade.lost();
      this.files.close();
      this.sending.close();
      this.topics.close();
      this.objects.close();
      this.receiving.close();
    }
    this.post(reason ? { is: 'state', state, reason } : { is: 'state', state });
  }

  welcomed(features: string[]): void {
    this.sending.layered = features.includes('layers');
    const server = features.includes('webrtc') ? undefined : 'server';
    this.never = this.transport === 'ws' ? 'asked' : this.options.decodeRtc?.length ? server : 'browser';
    this.records = features.includes('recording');
    this.plays = features.includes('playback');
  }

  joined(message: Joined): void {
    this.post({ is: 'resume', token: message.resume });
    this.mayRecord = this.records && message.grants.includes('record');
    // What there is comes behind joined.
    this.post({ is: 'recording', recording: undefined, may: this.mayRecord });
    this.post({ is: 'playback', playback: undefined, may: this.mayPlay });
    this.roster.replace(message);
    this.sending.joined(message);
    this.receiving.joined(message);
    this.upgrade.joined(this.never, performance.now());
    this.topics.joined();
    this.objects.joined(message, performance.now());
    this.flushChat();
    this.sending.run();
    this.tellRosterNow();
  }

  lost(link: Link): void {
    this.outbox.lost(link.rate);
    this.topics.lost(link);
    this.objects.lost();
    this.sending.lost();
    this.upgrade.lost();
    this.receiving.lost();
  }

  control(message: ServerMessage): void {
    if (this.topics.control(message) || this.objects.control(message, performance.now())) return;
    if (this.upgrade.control(message, performance.now())) return;
    this.receiving.control(message);
    if (this.roster.apply(message)) return this.tellRoster();
    if (this.sending.control(message)) return this.tellRoster();
    if (message.type === 'chat') this.heardChat(message);
    else if (message.type === 'recording') this.tellRecording(message);
    else if (message.type === 'playback') this.tellPlayback(message);
    else if (message.type === 'notice') this.post({ is: 'notice', code: message.code, text: message.text, ...(message.member && { member: message.member }) });
    else if (message.type === 'error' && !message.fatal) {
      this.outbox.answered(message.req);
      this.post({ is: 'notice', code: message.code, text: message.text });
    }
  }

  private tellRecording({ id, state, why, by, byName, name: only, sinceUs }: Extract<ServerMessage, { type: 'recording' }>): void {
    this.post({ is: 'recording', recording: { id, state, why, by, byName, only, since: sinceUs / 1000 }, may: this.mayRecord });
  }

  private get mayPlay(): boolean {
    return this.plays && this.mayRecord;
  }

  private tellPlayback({ recording, title, members, byName, playing, loop, positionMs, lengthMs, next, over }: Extract<ServerMessage, { type: 'playback' }>): void {
    const now = { recording, title, members, byName, playing, loop, position: positionMs, length: lengthMs, next, heardAt: Date.now() };
    this.post({ is: 'playback', playback: over ? undefined : now, may: this.mayPlay });
  }

  private heardChat({ req, from, name, text, seq, atUs, past }: Extract<ServerMessage, { type: 'chat' }>): void {
    if (from === this.roster.self.id) this.outbox.answered(req);
    this.chatAtUs = Math.max(this.chatAtUs, atUs);
    // What was missed over a reconnect is news.
    this.post({ is: 'chat', message: { from, name, text, seq, at: atUs / 1000, past: past && this.session.reconnects === 0 } });
  }

  media(message: Media): void {
    if (message.kind === 'object') this.objects.chunk(message);
    else this.receiving.take(message);
  }

  acked(): void {
    const { link } = this.session;
    if (link) this.topics.acked(link.rate.acked);
    this.sending.run();
  }

  offers(): Offer[] {
    return this.sending.offers();
  }

  backlogMs(): number {
    return this.receiving.backlogMs;
  }
}

function soundData({ us, sampleRate, pcm }: Extract<ToWorker, { do: 'sound-captured' }>): AudioData {
  const numberOfFrames = pcm[0]?.length ?? 0;
  const data = new Float32Array(numberOfFrames * pcm.length);
  pcm.forEach((plane, i) => data.set(plane, i * numberOfFrames));
  return new AudioData({ format: 'f32-planar', sampleRate, numberOfFrames, numberOfChannels: pcm.length, timestamp: us, data });
}
