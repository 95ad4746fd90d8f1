import { useEffect, useRef, useState } from 'preact/hooks';
import { useStore } from '../store';
import type { Film } from './film';

/** So far this page's own picture may be from what is sent, s. */
const APART = 0.25;

/** A media element that plays the file here as it is sent. failed: this browser plays it in no element, though it can be sent. */
export function useFollowed<E extends HTMLMediaElement>(film: Film) {
  const element = useRef<E>(null);
  const [failed, setFailed] = useState(false);
  const { on } = useStore(film.store);
  const address = on?.address;
  useEffect(() => {
    const media = element.current;
    if (!media || !address) return;
    setFailed(false);
    const fail = () => setFailed(true);
    media.addEventListener('error', fail);
    media.src = address;
    return () => {
      media.removeEventListener('error', fail);
      media.removeAttribute('src');
      media.load();
    };
  }, [address]);
  useEffect(() => {
    const media = element.current;
    if (!media || !on || failed) return;
    media.muted = !on.heard;
    const at = on.stream.position / 1000;
    if (Math.abs(media.currentTime - at) > APART) media.currentTime = at;
    // Rejected where it is taken away before it has begun; nothing is lost then.
    if (on.stream.state === 'playing') media.play().catch(() => undefined);
    else media.pause();
  }, [on, failed]);
  return { element, failed };
}
