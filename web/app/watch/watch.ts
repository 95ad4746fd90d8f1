// A recording that is watched alone, as the page shows it.

import { JoinError } from '../../sdk/api';
import { openRecording, RecordingPlayer } from '../../sdk/recording';
import type { OpenRecording, PlayerState, RecordedPicture, RecordedVoice, RecordingDescription } from '../../sdk/recording';
import { recordingRoom, tokenFor } from '../route';
import { Store } from '../store';

export interface WatchState {
  /** opening: it is not known yet whether there is such a recording. */
  state: 'opening' | PlayerState;
  /** The connection is lost, and is being made anew. */
  away: boolean;
  /** Why there is nothing to see. */
  problem: { code: string; text: string } | undefined;
  pictures: readonly RecordedPicture[];
  voices: readonly RecordedVoice[];
  /** ms. */
  length: number;
  speed: number;
  about: RecordingDescription | undefined;
}

const NOTHING: WatchState = { state: 'opening', away: false, problem: undefined, pictures: [], voices: [], length: 0, speed: 1, about: undefined };

export class Watching {
  readonly store = new Store<WatchState>(NOTHING);
  private recording: OpenRecording | undefined;
  player: RecordingPlayer | undefined;
  private closed = false;

  /** from: where to begin, ms. */
  constructor(
    readonly id: string,
    private readonly from: number,
  ) {
    void this.open();
  }

  private async open(): Promise<void> {
    const token = tokenFor(recordingRoom(this.id));
    try {
      const recording = await openRecording({ id: this.id, ...(token && { token }) });
      this.recording = recording;
      if (this.closed) return recording.close();
      recording.on('state', () => this.look());
      // How it is called can come later than the first picture.
      recording.describe().then((about) => this.store.set({ about })).catch(() => undefined);
      this.player = await RecordingPlayer.open(recording);
      if (this.closed) return this.player.close();
      this.player.on('change', () => this.look());
      if (this.from > 0) this.player.seek(this.from);
      this.player.play();
    } catch (error) {
      const code = error instanceof JoinError ? error.code : 'internal';
      this.store.set({ problem: { code, text: error instanceof Error ? error.message : String(error) } });
    }
  }

  private look(): void {
    const { recording, player } = this;
    if (!recording || !player || this.closed) return;
    const { state, failure: problem, pictures, voices, length, speed } = player;
    this.store.set({ state, away: recording.state === 'reconnecting', problem, pictures, voices, length, speed });
  }

  get position(): number {
    return this.player?.position ?? 0;
  }

  /** Whether it goes on by itself as soon as it can. */
  get going(): boolean {
    return this.player?.playing ?? false;
  }

  toggle(): void {
    if (this.going && this.player?.state !== 'blocked') this.player?.pause();
    else this.player?.play();
  }

  /** Goes so many ms on, or back. */
  skip(ms: number): void {
    this.player?.seek(this.position + ms);
  }

  close(): void {
    this.closed = true;
    this.player?.close();
    this.recording?.close();
  }
}
