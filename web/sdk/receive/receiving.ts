// Everything that is received: which chunk belongs to which track, what is shown where, and how it goes.

import type { LayerWhy, TrackStats } from '../api';
import type { ToPage } from '../bridge';
import { nowUs } from '../session/clock';
import type { Media } from '../session/link';
import type { ObjectChunk } from '../wire/wire';
import type { RemoteTrack, RosterHandler } from '../session/roster';
import type { Joined, Outgoing, ServerMessage } from '../wire/messages';
import type { Heard } from './playout';
import { Preferences } from './preferences';
import { AudioReceiver, VideoReceiver } from './receiver';
import type { ReceiverHost } from './receiver';
import { Sound } from './sound';
import type { SoundClock } from './sound';
import { Speakers } from './speakers';
import { StatsMaker } from './stats';
import { Surfaces } from './surfaces';

const WHYS: readonly LayerWhy[] = ['link', 'device', 'asked', 'publisher'];
const MAX_ALIASES = 4_096;

export interface ReceivingHost {
  send(message: Outgoing): boolean;
  post(message: ToPage): void;
}

type AnyReceiver = VideoReceiver | AudioReceiver;

function keyOf(member: string, track: string): string {
  return `${member} ${track}`;
}

export class Receiving implements RosterHandler, ReceiverHost {
  private byAlias = new Map<number, AnyReceiver>();
  private byKey = new Map<string, AnyReceiver>();
  private sounds = new Map<AudioReceiver, number>();
  private soundKey = 0;
  private soundClock: SoundClock | undefined;
  readonly surfaces = new Surfaces();
  readonly preferences: Preferences;
  private readonly speakers = new Speakers();
  private readonly stats = new StatsMaker();

  constructor(private readonly host: ReceivingHost) {
    this.preferences = new Preferences((message) => host.send(message));
  }

  added(remote: RemoteTrack): void {
    if (this.byAlias.size + remote.aliases.length > MAX_ALIASES) return;
    this.removed(remote);
    const receiver = remote.track.kind === 'audio' ? this.audio(remote) : this.video(remote);
    for (const alias of remote.aliases) this.byAlias.set(alias, receiver);
    this.byKey.set(keyOf(remote.member, remote.track.id), receiver);
    this.preferences.added(remote.member, remote.track.id);
  }

  private video(remote: RemoteTrack): VideoReceiver {
    const receiver = new VideoReceiver(remote, this);
    for (const canvas of this.surfaces.of(keyOf(remote.member, remote.track.id))) receiver.screen.attach(canvas);
    return receiver;
  }

  private audio(remote: RemoteTrack): AudioReceiver {
    const channel = new MessageChannel();
    const receiver = new AudioReceiver(remote, this, new Sound(channel.port1, () => this.soundClock));
    const key = ++this.soundKey;
    this.sounds.set(receiver, key);
    this.host.post({ is: 'sound', key, member: remote.member, port: channel.port2 });
    return receiver;
  }

  updated(remote: RemoteTrack): void {
    this.byKey.get(keyOf(remote.member, remote.track.id))?.update(remote);
  }

  removed(remote: RemoteTrack): void {
    const key = keyOf(remote.member, remote.track.id);
    const receiver = this.byKey.get(key);
    if (!receiver) return;
    this.byKey.delete(key);
    for (const alias of receiver.remote.aliases) if (this.byAlias.get(alias) === receiver) this.byAlias.delete(alias);
    receiver.close();
    this.stats.forget(receiver);
    if (!(receiver instanceof AudioReceiver)) return;
    this.host.post({ is: 'sound-over', key: this.sounds.get(receiver)! });
    this.sounds.delete(receiver);
  }

  /** What is received of a member. */
  of(member: string): AnyReceiver[] {
    return [...this.byKey.values()].filter((receiver) => receiver.remote.member === member);
  }

  take(message: Exclude<Media, ObjectChunk>): void {
    const receiver = this.byAlias.get(message.alias);
    if (!receiver) return;
    if (message.kind !== 'end') receiver.take(message);
  }

  /** The link was replaced: nothing incomplete will be completed. */
  lost(): void {
    for (const receiver of this.byKey.values()) receiver.interrupt();
  }

  joined(message: Joined): void {
    this.preferences.joined(message.resumed);
  }

  /** Takes a message about received tracks; false when it is about something else. */
  control(message: ServerMessage): boolean {
    if (message.type === 'memberLeft') {
      this.preferences.forget(message.id);
      this.speakers.forget(message.id);
      return false;
    }
    if (message.type === 'layer') {
      const receiver = this.byKey.get(keyOf(message.member, message.track));
      if (receiver instanceof VideoReceiver) receiver.why = WHYS.find((why) => why === message.why) ?? 'asked';
      return true;
    }
    if (message.type !== 'drops') return false;
    for (const { member, track, frames } of message.tracks) {
      const receiver = this.byKey.get(keyOf(member, track));
      if (receiver) this.stats.drops(receiver, frames);
    }
    return true;
  }

  show(member: string, track: string, surface: number): void {
    const key = keyOf(member, track);
    const canvas = this.surfaces.show(key, surface);
    const receiver = this.byKey.get(key);
    if (canvas && receiver instanceof VideoReceiver) receiver.screen.attach(canvas);
  }

  hide(member: string, track: string, surface: number): void {
    const key = keyOf(member, track);
    const canvas = this.surfaces.hide(key, surface);
    const receiver = this.byKey.get(key);
    if (canvas && receiver instanceof VideoReceiver) receiver.screen.canvases.delete(canvas);
  }

  setSoundClock(clock: SoundClock): void {
    this.soundClock = { contextUs: clock.contextUs, localUs: clock.localUs - performance.timeOrigin * 1000 };
  }

  needKey(remote: RemoteTrack): void {
    this.host.send({ type: 'keyframe', member: remote.member, track: remote.track.id, why: 'decoder-error' });
  }

  heard(member: string): Heard | undefined {
    for (const receiver of this.sounds.keys()) {
      const heard = receiver.remote.member === member ? receiver.sound.heard() : undefined;
      if (heard) return heard;
    }
    return undefined;
  }

  level(member: string, level: number, voice: boolean): void {
    this.speakers.note(member, level, voice, performance.now());
  }

  /** The speakers, when others than last time. */
  speakersChanged(): string[] | undefined {
    return this.speakers.changed(performance.now());
  }

  /** Asks for less of what this device does not decode in time; to be called a few times a second. */
  watchDecoders(nowMs: number): void {
    for (const receiver of this.byKey.values()) {
      if (!(receiver instanceof VideoReceiver) || !receiver.watch(nowMs)) continue;
      const { member, track } = receiver.remote;
      this.preferences.limit(member, track.id, receiver.limit);
    }
  }

  get backlogMs(): number {
    let most = 0;
    for (const receiver of this.byKey.values()) most = Math.max(most, receiver.backlogMs);
    return most;
  }

  trackStats(): TrackStats[] {
    return [...this.byKey.values()].map((receiver) => {
      const { member, track } = receiver.remote;
      const asked = { hidden: this.preferences.isHidden(member, track.id), limited: this.preferences.isLimited(member, track.id) };
      return this.stats.make(receiver, asked, nowUs());
    });
  }

  close(): void {
    for (const receiver of [...this.byKey.values()]) this.removed(receiver.remote);
  }
}
