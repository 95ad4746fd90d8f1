// The sound of a recording: one AudioContext, into which all tracks are mixed, and whose clock is what pictures go by.

import type { Stopwatch } from './timeline';

const SAMPLE_RATE = 48_000;

export class SoundStopwatch implements Stopwatch {
  readonly output: GainNode;
  private readonly context = new AudioContext({ latencyHint: 'balanced', sampleRate: SAMPLE_RATE });
  private wanted = false;
  /** It has run: before, the browser may hold it back, and complains of all that is put out. */
  begun = false;
  /** Of the output, s. */
  private latency = 0;

  constructor(changed: () => void) {
    this.output = this.context.createGain();
    this.output.connect(this.context.destination);
    this.context.onstatechange = () => {
      this.begun ||= this.running;
      changed();
    };
    void this.stop();
  }

  /** When what is heard now was to be heard: behind the context's own time by what the output takes. */
  now(): number {
    const { currentTime, outputLatency, baseLatency, state } = this.context;
    // A context that stands still does not know.
    if (state === 'running') this.latency = outputLatency || baseLatency || 0;
    return Math.max(0, currentTime - this.latency) * 1_000;
  }

  get running(): boolean {
    return this.wanted && this.context.state === 'running';
  }

  /** Where the browser holds sound back until somebody clicks it goes on only when this is called from there. */
  start(): void {
    this.wanted = true;
    this.context.resume().catch(() => undefined);
  }

  /** In a click: from now on it may start by itself. It stands still all the same until it does. */
  unlock(): void {
    const rest = (): Promise<void> | undefined => (this.wanted ? undefined : this.context.suspend());
    this.context.resume().then(rest).catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.wanted = false;
    await this.context.suspend().catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.context.state !== 'closed') await this.context.close();
  }
}
