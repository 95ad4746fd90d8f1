import { useEffect, useRef } from 'preact/hooks';

/** A local track, shown without a detour. Always muted: nobody wants to hear themselves. */
export function LocalVideo({ track, label, mirrored }: { track: MediaStreamTrack; label: string; mirrored: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = new MediaStream([track]);
    // Rejected when the element goes away before it started; nothing is lost then.
    element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  return <video ref={video} muted playsInline aria-label={label} class={mirrored ? 'picture mirrored' : 'picture'} />;
}
