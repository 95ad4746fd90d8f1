// The worker's view of one audio player: the port to it, and what it last reported.

import type { Heard } from './playout';
import type { PlayerReport } from './player';
import type { MeetMessage } from './player.worklet';

/** Maps the AudioContext's clock to the worker's: at contextUs the worker's clock showed localUs, output delay included. */
export interface SoundClock {
  contextUs: number;
  localUs: number;
}

const KEEP_REPORTS = 11;

export class Sound {
  /** Reports of the last second, oldest first. */
  private reports: PlayerReport[] = [];

  constructor(
    readonly port: MessagePort,
    private readonly clock: () => SoundClock | undefined,
  ) {
    port.onmessage = (event: MessageEvent<PlayerReport>) => {
      this.reports.push(event.data);
      if (this.reports.length > KEEP_REPORTS) this.reports.shift();
    };
  }

  get last(): PlayerReport | undefined {
    return this.reports.at(-1);
  }

  /** What is heard now, if anything is. */
  heard(): Heard | undefined {
    const clock = this.clock();
    const report = this.last;
    if (!clock || report?.mediaUs === undefined) return undefined;
    return { mediaUs: report.mediaUs, localUs: clock.localUs + (report.atUs - clock.contextUs) };
  }

  /** Has it play no earlier than the same sound by another path, which is heard so much after its timestamp; undefined: as early as it can. */
  meet(behindUs: number | undefined): void {
    const clock = this.clock();
    if (!clock) return;
    const message: MeetMessage = { meet: behindUs === undefined ? undefined : behindUs + clock.contextUs - clock.localUs };
    this.port.postMessage(message);
  }

  /** Share of concealed sound over the last second, 0 to 1. */
  get concealed(): number {
    const first = this.reports[0];
    const last = this.last;
    if (!first || !last) return 0;
    const gaps = last.concealed - first.concealed;
    const total = gaps + (last.played - first.played);
    return total > 0 ? gaps / total : 0;
  }
}
