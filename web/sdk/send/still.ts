// The newest picture of a screen, as a copy. A screen that does not change delivers no frames, yet may have to be encoded
// again. The captured frame itself is not kept for that: capture devices own few buffers, and Chromium was seen to
// deliver nothing more while one of them was held.

interface Copy {
  data: ArrayBuffer;
  init: Omit<VideoFrameBufferInit, 'timestamp'>;
}

export class Still {
  private copy: Copy | undefined;
  private next: VideoFrame | undefined;
  private copying = false;
  private closed = false;

  /** Copies the frame, soon; the caller keeps owning it. Of frames that come faster than they are copied, the last counts. */
  keep(frame: VideoFrame): void {
    this.next?.close();
    this.next = frame.clone();
    if (!this.copying) void this.copyAll();
  }

  /** The picture that was kept, if any; the caller closes it. */
  at(timestamp: number): VideoFrame | undefined {
    return this.copy && new VideoFrame(this.copy.data, { ...this.copy.init, timestamp });
  }

  close(): void {
    this.closed = true;
    this.next?.close();
    this.next = undefined;
    this.copy = undefined;
  }

  private async copyAll(): Promise<void> {
    this.copying = true;
    while (this.next) {
      const frame: VideoFrame = this.next;
      this.next = undefined;
      // Rejected for a frame whose pixels cannot be read; then there is no copy.
      const copy = await copyOf(frame).catch(() => undefined);
      frame.close();
      if (!this.closed) this.copy = copy;
    }
    this.copying = false;
  }
}

async function copyOf(frame: VideoFrame): Promise<Copy | undefined> {
  const { format, visibleRect, displayWidth, displayHeight, colorSpace } = frame;
  if (!format || !visibleRect) return undefined;
  const data = new ArrayBuffer(frame.allocationSize());
  const layout = await frame.copyTo(data);
  const { width: codedWidth, height: codedHeight } = visibleRect;
  return { data, init: { format, codedWidth, codedHeight, displayWidth, displayHeight, layout, colorSpace: colorSpace.toJSON() } };
}
