import { useEffect, useRef } from 'preact/hooks';
import { labels } from '../labels';

/** Root mean square of samples in -1 to 1, as 0 to 1 on a scale where speech fills most of the way. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (decibels + 60) / 50));
}

/** A bar that moves with a microphone. */
export function Level({ track }: { track: MediaStreamTrack | undefined }) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => (track && bar.current ? meter(track, bar.current) : undefined), [track]);
  return (
    <div ref={bar} class="level" role="meter" aria-label={labels.level} aria-valuemin={0} aria-valuemax={100} aria-valuenow={0}>
      <span />
    </div>
  );
}

/** Drives the bar until the returned function is called. */
function meter(track: MediaStreamTrack, bar: HTMLElement): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  // Browsers hold the context back until the first click or key, unless the permission already counts as one.
  const wake = () => void context.resume();
  for (const event of ['pointerdown', 'keydown']) document.addEventListener(event, wake);
  let shown = 0;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const now = loudness(samples);
    shown = now > shown ? now : shown * 0.8 + now * 0.2;
    bar.style.setProperty('--level', shown.toFixed(3));
    bar.setAttribute('aria-valuenow', String(Math.round(shown * 100)));
  }, 60);
  return () => {
    clearInterval(timer);
    for (const event of ['pointerdown', 'keydown']) document.removeEventListener(event, wake);
    bar.style.setProperty('--level', '0');
    void context.close();
  };
}
