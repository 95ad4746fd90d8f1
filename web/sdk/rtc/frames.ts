// Pictures of one m-line as the platform decodes them.

import { RtpClock } from './clock';

interface Timed {
  metadata(): { rtpTimestamp?: number };
}

export class Frames {
  private readonly reader: ReadableStreamDefaultReader<VideoFrame>;
  private readonly clock: RtpClock;
  private over = false;

  /** At us µs the RTP timestamp is rtp; take takes pictures over, with timestamps of that clock. */
  constructor(
    frames: ReadableStream<VideoFrame>,
    { rtp, us }: { rtp: number; us: number },
    private readonly take: (picture: VideoFrame) => void,
  ) {
    this.reader = frames.getReader();
    this.clock = new RtpClock('video', us, rtp);
    void this.run().catch(() => undefined);
  }

  /** Takes no more. The stream is ended behind the read that is under way, as in hand-over.ts: the picture would be lost under which it ends. */
  stop(): void {
    this.over = true;
  }

  private async run(): Promise<void> {
    while (!this.over) {
      const { done, value } = await this.reader.read();
      if (done) return;
      const { rtpTimestamp } = (value as unknown as Timed).metadata();
      if (rtpTimestamp !== undefined && !this.over) this.take(new VideoFrame(value, { timestamp: this.clock.micros(rtpTimestamp) }));
      value.close();
    }
    await this.reader.cancel();
  }
}
