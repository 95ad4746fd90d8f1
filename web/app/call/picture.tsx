import type { Room, TrackInfo } from '../../sdk';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { heightFor, type Size } from './demand';

/** A picture that nobody can see goes on for this long, ms: looking away for a moment costs no interruption. */
const patience = 700;
/** A tile that changes its size is done with it after this, ms. */
const settled = 500;

interface Props {
  room: Room;
  member: string;
  track: TrackInfo;
  label: string;
  /** On the stage: gets its bytes before the others. */
  large: boolean;
  whole: boolean;
}

/** A received picture. Its canvas belongs to a worker for good, so the element is made anew for each publication. */
export function RemotePicture({ room, member, track, label, large, whole }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { id } = track;
  useLayoutEffect(() => room.show(member, id, canvas.current!), [room, member, id]);
  const hidden = useHidden(canvas);
  const size = useSettledSize(canvas);
  const height = size ? heightFor(size, devicePixelRatio, track, whole) : undefined;
  // Not a plain effect, which waits for a paint: who is shown again is asked for at once.
  useLayoutEffect(() => {
    if (height !== undefined) room.prefer(member, id, { hidden, priority: large ? 6 : 4, height });
  }, [room, member, id, hidden, large, height]);
  return <canvas ref={canvas} class={whole ? 'picture whole' : 'picture'} role="img" aria-label={label} />;
}

/** The size of the element: the first at once, later ones when they stay. */
function useSettledSize(element: { current: HTMLElement | null }): Size | undefined {
  const [size, setSize] = useState<Size>();
  useLayoutEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let known = false;
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      clearTimeout(timer);
      if (known) timer = setTimeout(() => setSize({ width, height }), settled);
      else setSize({ width, height });
      known = true;
    });
    if (element.current) observer.observe(element.current);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, [element]);
  return size;
}

/** Whether the element has been out of sight for a while: scrolled away, or the tab is in the background. */
function useHidden(element: { current: HTMLElement | null }): boolean {
  const [hidden, setHidden] = useState(false);
  useEffect(() => {
    let inView = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const judge = () => {
      clearTimeout(timer);
      if (inView && document.visibilityState === 'visible') setHidden(false);
      else timer = setTimeout(() => setHidden(true), patience);
    };
    const observer = new IntersectionObserver((entries) => {
      inView = entries[entries.length - 1]?.isIntersecting ?? true;
      judge();
    });
    if (element.current) observer.observe(element.current);
    document.addEventListener('visibilitychange', judge);
    judge();
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      document.removeEventListener('visibilitychange', judge);
    };
  }, [element]);
  return hidden;
}
