// What is heard: one AudioContext, one player node per received audio track, a volume per member.

import type { SoundClock } from './receive/sound';
import { SAMPLE_RATE } from './receive/player';
import playerUrl from './receive/player.worklet.ts?worker&url';
import { trustedScript } from './trusted';

const CLOCK_EVERY_MS = 500;

/** From the sound of one path to that of the other. */
const CROSSFADE_S = 0.02;

/** From a track of a PeerConnection through the context, as Chromium was measured to do it (27 to 46 ms). */
const STREAM_LAG_US = 38_000;

interface Playing {
  member: string;
  node: AudioWorkletNode | undefined;
  fade: GainNode;
}

interface Streaming {
  member: string;
  fade: GainNode;
}

export class SoundOut {
  readonly output: GainNode;
  private readonly context = new AudioContext({ latencyHint: 'interactive', sampleRate: SAMPLE_RATE });
  private loaded: Promise<boolean> | undefined;
  private readonly playing = new Map<number, Playing>();
  private readonly streams = new Set<Streaming>();
  /** Members who are heard by RTP. */
  private readonly byRtp = new Set<string>();
  private readonly gains = new Map<string, GainNode>();
  private readonly volumes = new Map<string, number>();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly tellClock: (clock: SoundClock) => void,
    changed: () => void,
  ) {
    this.output = this.context.createGain();
    this.output.connect(this.context.destination);
    void this.load();
    this.context.onstatechange = () => {
      changed();
      this.readClock();
    };
    this.timer = setInterval(() => this.readClock(), CLOCK_EVERY_MS);
    void this.context.resume().catch(() => undefined);
  }

  get blocked(): boolean {
    return this.context.state === 'suspended';
  }

  /** From a track of a PeerConnection to the ear, µs. */
  get lagUs(): number {
    return STREAM_LAG_US + (this.context.outputLatency || this.context.baseLatency || 0) * 1_000_000;
  }

  async resume(): Promise<void> {
    await this.context.resume();
  }

  /** Loads the player; anew when it did not come the last time, which a network that was just away can cause. */
  private load(): Promise<boolean> {
    const forget = (): boolean => {
      this.loaded = undefined;
      return false;
    };
    this.loaded ??= this.context.audioWorklet.addModule(trustedScript(playerUrl)).then(() => true, forget);
    return this.loaded;
  }

  /** A received track begins: its samples come over the port. */
  async begin(key: number, member: string, port: MessagePort): Promise<void> {
    const playing: Playing = { member, node: undefined, fade: this.fader(!this.byRtp.has(member)) };
    this.playing.set(key, playing);
    const loaded = (await this.load()) || (await this.load());
    if (!loaded || this.playing.get(key) !== playing) return port.close();
    const options: AudioWorkletNodeOptions = { numberOfInputs: 0, outputChannelCount: [2] };
    playing.node = new AudioWorkletNode(this.context, 'landline-player', options);
    playing.node.port.postMessage(port, [port]);
    playing.node.connect(playing.fade).connect(this.gain(member));
  }

  /** Plays a member's track of a PeerConnection, where the member is heard by that; returns the end of it. */
  stream(member: string, track: MediaStreamTrack): () => void {
    const stream = new MediaStream([track]);
    // Chromium decodes a remote track for an element only; what is heard comes from the graph.
    const element = new Audio();
    element.muted = true;
    element.srcObject = stream;
    void element.play().catch(() => undefined);
    const source = this.context.createMediaStreamSource(stream);
    const streaming: Streaming = { member, fade: this.fader(this.byRtp.has(member)) };
    source.connect(streaming.fade).connect(this.gain(member));
    this.streams.add(streaming);
    return () => {
      element.srcObject = null;
      source.disconnect();
      streaming.fade.disconnect();
      this.streams.delete(streaming);
      this.letGo(member);
    };
  }

  /** Says by which path a member is heard from now on. */
  prefer(member: string, rtp: boolean): void {
    if (rtp) this.byRtp.add(member);
    else this.byRtp.delete(member);
    for (const { member: whose, fade } of this.playing.values()) if (whose === member) this.turn(fade, !rtp);
    for (const { member: whose, fade } of this.streams) if (whose === member) this.turn(fade, rtp);
  }

  private fader(on: boolean): GainNode {
    const fade = this.context.createGain();
    fade.gain.value = on ? 1 : 0;
    return fade;
  }

  private turn({ gain }: GainNode, on: boolean): void {
    const { currentTime } = this.context;
    gain.cancelScheduledValues(currentTime);
    gain.setValueAtTime(gain.value, currentTime);
    gain.linearRampToValueAtTime(on ? 1 : 0, currentTime + CROSSFADE_S);
  }

  end(key: number): void {
    const playing = this.playing.get(key);
    this.playing.delete(key);
    if (!playing) return;
    playing.node?.port.postMessage('stop');
    playing.node?.disconnect();
    playing.fade.disconnect();
    this.letGo(playing.member);
  }

  private letGo(member: string): void {
    if ([...this.playing.values(), ...this.streams].some((p) => p.member === member)) return;
    this.gains.get(member)?.disconnect();
    this.gains.delete(member);
  }

  setVolume(member: string, volume: number): void {
    const value = Math.min(Math.max(volume, 0), 1);
    this.volumes.set(member, value);
    this.gains.get(member)?.gain.setTargetAtTime(value, this.context.currentTime, 0.02);
  }

  forget(member: string): void {
    this.volumes.delete(member);
    this.byRtp.delete(member);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const key of [...this.playing.keys()]) this.end(key);
    if (this.context.state !== 'closed') await this.context.close();
  }

  private gain(member: string): GainNode {
    const known = this.gains.get(member);
    if (known) return known;
    const gain = this.context.createGain();
    gain.gain.value = this.volumes.get(member) ?? 1;
    gain.connect(this.output);
    this.gains.set(member, gain);
    return gain;
  }

  /** Tells when, by this page's clock, a context time is heard: the output's delay is in it. */
  private readClock(): void {
    if (this.context.state !== 'running') return;
    const { contextTime, performanceTime } = this.context.getOutputTimestamp();
    const delay = this.context.outputLatency || this.context.baseLatency || 0;
    const exact = contextTime !== undefined && performanceTime !== undefined && contextTime > 0;
    const context = exact ? contextTime : this.context.currentTime - delay;
    const page = exact ? performanceTime : performance.now();
    this.tellClock({ contextUs: context * 1_000_000, localUs: (performance.timeOrigin + page) * 1_000 });
  }
}
