// Which moment of the recording is now. A watch runs while it plays, and stands still otherwise; that of the sound is the one
// that is heard.

export interface Stopwatch {
  /** ms; it does not go back. */
  now(): number;
  readonly running: boolean;
  start(): void;
  /** Resolves when it stands still. */
  stop(): Promise<void>;
}

/** The watch where there is no sound. */
export class PageStopwatch implements Stopwatch {
  private passed = 0;
  private since: number | undefined;

  constructor(private readonly clock: () => number = () => performance.now()) {}

  now(): number {
    return this.passed + (this.since === undefined ? 0 : this.clock() - this.since);
  }

  get running(): boolean {
    return this.since !== undefined;
  }

  start(): void {
    this.since ??= this.clock();
  }

  async stop(): Promise<void> {
    this.passed = this.now();
    this.since = undefined;
  }
}

/** Position against a watch, both in ms. */
export class Timeline {
  private position = 0;
  private since = 0;
  private pace = 1;

  /** From this moment of the watch on. */
  set(position: number, now: number): void {
    this.position = position;
    this.since = now;
  }

  setPace(pace: number, now: number): void {
    this.set(this.at(now), now);
    this.pace = pace;
  }

  at(now: number): number {
    return this.position + (now - this.since) * this.pace;
  }

  /** When, by the watch, a position is reached. */
  when(position: number): number {
    return this.since + (position - this.position) / this.pace;
  }

  get speed(): number {
    return this.pace;
  }
}
