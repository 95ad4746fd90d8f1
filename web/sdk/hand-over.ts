// The platform's stream of pictures on its way from the page to the worker.
//
// From the moment such a stream is transferred until the worker has taken it over, Chromium reads it on the page's thread,
// to forward what comes meanwhile. A picture that comes while that thread is busy may then be handed to a stream that has
// ended: it is lost, held until it is garbage collected, and complained about. So one picture is put into the stream
// before: that is what the page's thread reads, and it asks the source for none until the worker does.

type Frames = ReadableStream<VideoFrame | AudioData>;

/**
 * Waits until the stream holds a picture, and may be transferred; however long a camera takes to give one, or until its track ends: whatever
 * happens to a stream while a picture is on its way to it, that picture is lost. witness is another stream of the same camera: each picture
 * comes to both, on this thread, so that the second that it gives tells that this one has had its own.
 */
export async function holdFrame(readable: Frames, witness: Frames): Promise<void> {
  // A stream that was just made has not started, and asks its source for nothing yet.
  await new Promise((resolve) => setTimeout(resolve));
  const reader = readable.getReader();
  // Makes the stream ask for one picture, which stays in it, since nobody is there to receive it when it comes.
  reader.read().catch(() => undefined);
  reader.releaseLock();
  const other = witness.getReader();
  for (let i = 0; i < 2; i++) (await other.read().catch(() => undefined))?.value?.close();
  await other.cancel().catch(() => undefined);
}

/** Ends a stream that nobody is to read, and closes what it holds. */
export async function dispose(readable: Frames): Promise<void> {
  const reader = readable.getReader();
  const { value } = await reader.read().catch(() => ({ value: undefined }));
  value?.close();
  await reader.cancel().catch(() => undefined);
}
