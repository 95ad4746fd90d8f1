import type { Room } from '../../sdk';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** A picture that nobody can see goes on for this long, ms: looking away for a moment costs no interruption. */
const patience = 1500;

interface Props {
  room: Room;
  member: string;
  track: string;
  label: string;
  /** On the stage: gets its bytes before the others. */
  large: boolean;
  whole: boolean;
}

/** A received picture. Its canvas belongs to a worker for good, so the element is made anew for each publication. */
export function RemotePicture({ room, member, track, label, large, whole }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => room.show(member, track, canvas.current!), [room, member, track]);
  const hidden = useHidden(canvas);
  useEffect(
    () => room.prefer(member, track, { hidden, priority: large ? 6 : 4 }),
    [room, member, track, hidden, large],
  );
  return <canvas ref={canvas} class={whole ? 'picture whole' : 'picture'} role="img" aria-label={label} />;
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
