import { loadPrefs, savePrefs, type Picture, type Prefs, type Sound } from '../prefs';
import { Store } from '../store';
import { troubleOf, type Kind, type Trouble } from './trouble';

export interface Device {
  /** Whether the person wants it on. A microphone that is not wanted is held, but silent; a camera is let go. */
  wanted: boolean;
  asking: boolean;
  track: MediaStreamTrack | undefined;
  trouble: Trouble | undefined;
}

/** Whether a device is on, or about to be. One that is wanted but cannot be had is off. */
export function isOn(device: Device): boolean {
  return device.wanted && (device.track !== undefined || device.asking);
}

export interface MediaState {
  mic: Device;
  camera: Device;
  screen: MediaStreamTrack | undefined;
  screenAudio: MediaStreamTrack | undefined;
  inputs: MediaDeviceInfo[];
  prefs: Prefs;
}

const sizes: Record<Picture, { width: number; height: number }> = {
  low: { width: 320, height: 180 },
  standard: { width: 640, height: 360 },
  high: { width: 1280, height: 720 },
};

function off(wanted: boolean): Device {
  return { wanted, asking: false, track: undefined, trouble: undefined };
}

/**
 * The microphone, camera and screen of this page. It owns their tracks: whoever publishes or shows one only borrows it.
 */
export class Media {
  readonly store: Store<MediaState>;
  /** Counts the requests per device, so that an answer that comes late is thrown away. */
  private readonly turn = { mic: 0, camera: 0 };
  private running = false;

  constructor() {
    const prefs = loadPrefs();
    this.store = new Store<MediaState>({
      mic: off(prefs.micOn),
      camera: off(prefs.cameraOn),
      screen: undefined,
      screenAudio: undefined,
      inputs: [],
      prefs,
    });
    // Absent on plain HTTP; the start page then offers no call.
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.devicesChanged());
  }

  /** Opens what is wanted, in one request where possible, so that the browser asks once. Needs a secure page. */
  async start(): Promise<void> {
    this.running = true;
    const state = this.store.get();
    const kinds = (['mic', 'camera'] as const).filter((kind) => state[kind].wanted && !state[kind].track);
    if (kinds.length > 0) await this.open(kinds);
  }

  /** Lets go of everything. What is wanted stays wanted, for the next start. */
  stop(): void {
    this.running = false;
    this.release('mic');
    this.release('camera');
    this.stopShare();
  }

  /** Switches a device on or off. */
  async want(kind: Kind, wanted: boolean): Promise<void> {
    // Who asks again is told again.
    this.patch(kind, { wanted, trouble: undefined });
    this.save(kind === 'mic' ? { micOn: wanted } : { cameraOn: wanted });
    const { track } = this.store.get()[kind];
    if (!wanted && kind === 'camera') this.release('camera');
    else if (track) track.enabled = wanted;
    else if (wanted) await this.open([kind]);
  }

  /** Takes another device; "" is the browser's default. */
  async choose(kind: Kind, deviceId: string): Promise<void> {
    this.save({ [kind]: deviceId });
    await this.reopen(kind);
  }

  async setSound(sound: Sound): Promise<void> {
    this.save({ sound });
    await this.reopen('mic');
  }

  async setPicture(picture: Picture): Promise<void> {
    this.save({ picture });
    await this.reopen('camera');
  }

  save(patch: Partial<Prefs>): void {
    savePrefs(patch);
    this.store.set({ prefs: { ...this.store.get().prefs, ...patch } });
  }

  /** Asks for a screen, window or tab. False when the person chose none. */
  async share(): Promise<boolean> {
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 30 } }, audio: true });
    } catch (error) {
      if (troubleOf(error) === 'denied') return false;
      throw error;
    }
    this.stopShare();
    const screen = stream.getVideoTracks()[0];
    const screenAudio = stream.getAudioTracks()[0];
    screen?.addEventListener('ended', () => {
      if (this.store.get().screen === screen) this.stopShare();
    });
    this.store.set({ screen, screenAudio });
    return true;
  }

  stopShare(): void {
    const { screen, screenAudio } = this.store.get();
    screen?.stop();
    screenAudio?.stop();
    if (screen || screenAudio) this.store.set({ screen: undefined, screenAudio: undefined });
  }

  private async reopen(kind: Kind): Promise<void> {
    const { wanted, track } = this.store.get()[kind];
    this.release(kind);
    this.patch(kind, { trouble: undefined });
    if (wanted || track) await this.open([kind]);
  }

  private async open(kinds: readonly Kind[]): Promise<void> {
    const turns = kinds.map((kind) => {
      // A trouble stays until the answer is known: the one that the start page told need not be told again in the call.
      this.patch(kind, { asking: true });
      return ++this.turn[kind];
    });
    const current = (kind: Kind) => this.running && this.turn[kind] === turns[kinds.indexOf(kind)];
    try {
      const stream = await navigator.mediaDevices.getUserMedia(this.constraints(kinds));
      for (const track of stream.getTracks()) {
        const kind = track.kind === 'audio' ? 'mic' : 'camera';
        if (current(kind)) this.take(kind, track);
        else track.stop();
      }
    } catch (error) {
      // One device can be had without the other: ask for each alone before giving up.
      if (kinds.length > 1) {
        for (const kind of kinds) if (current(kind)) await this.open([kind]);
        return;
      }
      const trouble = troubleOf(error);
      for (const kind of kinds) if (current(kind)) this.patch(kind, { asking: false, trouble });
    }
    await this.listInputs();
  }

  private constraints(kinds: readonly Kind[]): MediaStreamConstraints {
    const { prefs } = this.store.get();
    const clean = prefs.sound === 'clean';
    const size = sizes[prefs.picture];
    const constraints: MediaStreamConstraints = {};
    if (kinds.includes('mic')) {
      constraints.audio = {
        ...(prefs.mic && { deviceId: { ideal: prefs.mic } }),
        echoCancellation: clean,
        noiseSuppression: clean,
        autoGainControl: clean,
      };
    }
    if (kinds.includes('camera')) {
      constraints.video = {
        ...(prefs.camera && { deviceId: { ideal: prefs.camera } }),
        width: { ideal: size.width },
        height: { ideal: size.height },
        frameRate: { ideal: 30 },
      };
    }
    return constraints;
  }

  private take(kind: Kind, track: MediaStreamTrack): void {
    const { wanted } = this.store.get()[kind];
    if (!wanted && kind === 'camera') {
      track.stop();
      this.patch(kind, { asking: false, trouble: undefined });
      return;
    }
    track.enabled = wanted;
    // Fires when the device is unplugged or the permission is withdrawn, not when stop() was called here.
    track.addEventListener('ended', () => {
      if (this.store.get()[kind].track === track) this.patch(kind, { track: undefined, trouble: 'missing' });
    });
    this.patch(kind, { asking: false, track, trouble: undefined });
  }

  private release(kind: Kind): void {
    this.turn[kind]++;
    this.store.get()[kind].track?.stop();
    this.patch(kind, { track: undefined, asking: false });
  }

  private async listInputs(): Promise<void> {
    const inputs = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    this.store.set({ inputs });
  }

  private async devicesChanged(): Promise<void> {
    if (!this.running) return;
    await this.listInputs();
    for (const kind of ['mic', 'camera'] as const) {
      const { wanted, asking, trouble } = this.store.get()[kind];
      if (wanted && !asking && trouble === 'missing') await this.open([kind]);
    }
  }

  private patch(kind: Kind, patch: Partial<Device>): void {
    this.store.set({ [kind]: { ...this.store.get()[kind], ...patch } });
  }
}

/** Whether this browser can share a screen at all; phones cannot. */
export const canShare = (): boolean => typeof navigator.mediaDevices?.getDisplayMedia === 'function';
