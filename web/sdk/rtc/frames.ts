// Pictures of one m-line as the platform decodes them.

import { RtpClock } from './clock';

interface Timed {
  metadata(): { rtpTimestamp?: number };
}

export class Frames {
  private readonly reader: ReadableStreamDefaultReader<VideoFrame>;
  private readonly clock: RtpClock;

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

  stop(): void {
    void this.reader.cancel().catch(() => undefined);
  }

  private async run(): Promise<void> {
    for (;;) {
      const { done, value } = await this.reader.read();
      if (done) return;
      const { rtpTimestamp } = (value as unknown as Timed).metadata();
      if (rtpTimestamp !== undefined) this.take(new VideoFrame(value, { timestamp: this.clock.micros(rtpTimestamp) }));
      value.close();
    }
  }
}
