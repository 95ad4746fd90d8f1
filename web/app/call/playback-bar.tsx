import { useEffect, useRef, useState } from 'preact/hooks';
import { positionOf } from '../../sdk/api';
import type { PlaybackInfo } from '../../sdk';
import { labels } from '../labels';
import { Close, Next, Pause, Play, Repeat } from '../ui/icons';
import type { Call } from './call';
import { nextText, playedOf, positionText } from './playback-words';

/** How often the position moves, ms. */
const TICK_MS = 250;
/** How far an arrow key goes, ms: key frames may be so far apart, and it ends at the one before. */
const SKIP_MS = 10_000;

/** What is played into the room: where it is and, for who may, what is done with it. */
export function PlaybackBar({ call, playback, may }: { call: Call; playback: PlaybackInfo; may: boolean }) {
  const { playing, loop, length, next } = playback;
  const position = usePosition(playback);
  // What a hand says counts until the relay has answered.
  const [dragged, setDragged] = useState<number | undefined>();
  const asking = useRef(false);
  const at = dragged ?? position;
  const release = async (value: number): Promise<void> => {
    if (asking.current) return;
    asking.current = true;
    setDragged(value);
    await call.control({ position: value });
    asking.current = false;
    setDragged(undefined);
  };
  return (
    <section class="playback" aria-label={labels.playback}>
      <p class="playback-name">
        {playedOf(playback)}
        {next.length > 0 && <small class="quiet">{nextText(next.length)}</small>}
      </p>
      {may && (
        <button type="button" class="icon-button" aria-label={playing ? labels.pauseAll : labels.playAll} title={playing ? labels.pauseAll : labels.playAll} onClick={() => void call.control({ playing: !playing })}>
          {playing ? <Pause /> : <Play />}
        </button>
      )}
      <input
        type="range"
        min={0}
        max={Math.max(length, 1)}
        step={100}
        value={at}
        disabled={!may}
        aria-label={labels.position}
        aria-valuetext={positionText(at, length)}
        onKeyDown={(event) => {
          const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
          if (way === undefined) return;
          event.preventDefault();
          void release(Math.min(Math.max(0, at + way * SKIP_MS), length));
        }}
        onInput={(event) => setDragged(event.currentTarget.valueAsNumber)}
        onChange={(event) => void release(event.currentTarget.valueAsNumber)}
      />
      <span class="playback-time quiet">{positionText(at, length)}</span>
      {may && (
        <>
          <button type="button" class={loop ? 'icon-button on' : 'icon-button'} aria-label={labels.repeat} title={labels.repeat} aria-pressed={loop} onClick={() => void call.control({ loop: !loop })}>
            <Repeat />
          </button>
          {next.length > 0 && (
            <button type="button" class="icon-button" aria-label={labels.nextAll} title={labels.nextAll} onClick={() => void call.control({ skip: true })}>
              <Next />
            </button>
          )}
          <button type="button" class="icon-button" aria-label={labels.stopAll} title={labels.stopAll} onClick={() => call.stopPlayback()}>
            <Close />
          </button>
        </>
      )}
    </section>
  );
}

/** Where it is, ms, again and again. */
function usePosition(playback: PlaybackInfo): number {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!playback.playing) return;
    const timer = setInterval(() => tick((n) => n + 1), TICK_MS);
    return () => clearInterval(timer);
  }, [playback]);
  return positionOf(playback);
}
