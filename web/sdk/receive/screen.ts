// Paints pictures of one track when they are due, onto every canvas that shows it.

import { nowUs } from '../session/clock';
import { Playout } from './playout';
import type { Heard } from './playout';

/** Decoded pictures that may wait; decoders have a limited number of them. */
const MAX_PICTURES = 20;
/** A timer is never exact: what is due this soon is painted now, µs. */
const SOON_US = 1_500;
/** Where nothing was painted for so long, the next picture waits for nothing, µs. */
const STOOD_US = 500_000;
/** So much quicker than the quickest of late a picture may have come, µs. */
const AHEAD_US = 300_000;
/** A picture that is older than another by more than this is of a clock that was set, µs. */
const OLD_US = 5_000_000;

export class Screen {
  readonly playout = new Playout();
  readonly canvases = new Set<OffscreenCanvas>();
  painted = 0;
  width = 0;
  height = 0;
  /** Timestamp and local time of the last live picture that was painted. */
  last: { us: number; at: number } | undefined;
  /** Pictures come by RTP as well: the newest of either path is shown. back: until the WebSocket's are newer. */
  private rtp: 'no' | 'yes' | 'back' = 'no';
  private waiting: VideoFrame[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private shown: VideoFrame | undefined;
  private paintedAt = -Infinity;

  constructor(private readonly heard: () => Heard | undefined) {}

  /** Takes over a live picture. */
  push(picture: VideoFrame): void {
    if (this.isOld(picture)) return picture.close();
    this.ahead();
    const now = nowUs();
    this.playout.arrived(picture.timestamp, now);
    if (now - this.paintedAt > STOOD_US && this.waiting.length === 0) return this.paint(picture, true);
    this.waiting.push(picture);
    if (this.waiting.length > MAX_PICTURES) this.paint(this.waiting.shift()!, true);
    this.run();
  }

  /** Takes over a picture that is not late but old: it is painted at once. */
  showNow(picture: VideoFrame): void {
    if (this.isOld(picture)) return picture.close();
    this.ahead();
    this.flush();
    this.paint(picture, false);
  }

  turnTo(rtp: boolean): void {
    if (rtp) this.rtp = 'yes';
    else if (this.rtp === 'yes') this.rtp = 'back';
  }

  /** Takes over a picture that came by RTP, where its time was waited for. Of those that wait here the older ones are not shown any more. */
  fromRtp(picture: VideoFrame): void {
    if (this.rtp === 'no' || this.isOld(picture) || this.isAhead(picture)) return picture.close();
    this.paint(picture, true);
    while (this.waiting[0] && this.isOld(this.waiting[0])) this.waiting.shift()!.close();
  }

  /** The WebSocket's pictures are ahead of what is shown. */
  private ahead(): void {
    if (this.rtp === 'back') this.rtp = 'no';
  }

  /** A canvas that came late shows what is shown elsewhere. */
  attach(canvas: OffscreenCanvas): void {
    this.canvases.add(canvas);
    if (this.shown) draw(canvas, this.shown);
  }

  close(): void {
    this.flush();
    this.shown?.close();
    this.shown = undefined;
    this.canvases.clear();
  }

  /** Another layer begins with its last key frame, which may be older than what is shown of this one. */
  private isOld({ timestamp }: VideoFrame): boolean {
    const by = (this.shown?.timestamp ?? -Infinity) - timestamp;
    return by >= 0 && by < OLD_US;
  }

  /** No picture comes before it was taken: what does has another clock, and would keep all that follow from being shown. */
  private isAhead({ timestamp }: VideoFrame): boolean {
    const { known, base } = this.playout.timing;
    return known && timestamp + base > nowUs() + AHEAD_US;
  }

  private flush(): void {
    clearTimeout(this.timer);
    for (const picture of this.waiting) picture.close();
    this.waiting = [];
  }

  /** Paints the newest picture that is due, and waits for the next one. */
  private run(): void {
    clearTimeout(this.timer);
    const now = nowUs();
    const heard = this.heard();
    let due: VideoFrame | undefined;
    while (this.waiting[0] && this.playout.due(this.waiting[0].timestamp, now, heard) <= now + SOON_US) {
      due?.close();
      due = this.waiting.shift()!;
    }
    if (due) this.paint(due, true);
    const next = this.waiting[0];
    if (!next) return;
    const wait = this.playout.due(next.timestamp, now, heard) - now;
    this.timer = setTimeout(() => this.run(), Math.max(0, wait / 1000));
  }

  private paint(picture: VideoFrame, live: boolean): void {
    // First, so that a picture that cannot be drawn is closed with the next one.
    this.shown?.close();
    this.shown = picture;
    this.width = picture.displayWidth;
    this.height = picture.displayHeight;
    for (const canvas of this.canvases) draw(canvas, picture);
    this.painted++;
    this.paintedAt = nowUs();
    if (live) this.last = { us: picture.timestamp, at: nowUs() };
  }
}

function draw(canvas: OffscreenCanvas, picture: VideoFrame): void {
  if (canvas.width !== picture.displayWidth) canvas.width = picture.displayWidth;
  if (canvas.height !== picture.displayHeight) canvas.height = picture.displayHeight;
  canvas.getContext('2d', { alpha: false })?.drawImage(picture, 0, 0, canvas.width, canvas.height);
}
