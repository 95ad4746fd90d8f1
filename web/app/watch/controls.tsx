// Where the recording is, and what is done with it.

import { useEffect, useState } from 'preact/hooks';
import { SPEEDS } from '../../sdk/recording';
import { positionText } from '../call/playback-words';
import { isTyping } from '../call/shortcuts';
import { labels } from '../labels';
import { Pause, Play } from '../ui/icons';
import type { Watching, WatchState } from './watch';

/** How often the position moves, ms. */
const TICK_MS = 200;
/** How far an arrow key goes, ms. */
const SKIP_MS = 5_000;

export function Controls({ watching, state }: { watching: Watching; state: WatchState }) {
  const position = usePosition(watching);
  const { length, speed } = state;
  const going = watching.going && state.state !== 'blocked';
  const name = going ? labels.pause : labels.play;
  useKeys(watching);
  return (
    <div class="watch-controls">
      <button type="button" class="icon-button" aria-label={name} title={`${name} (space)`} aria-keyshortcuts="Space" onClick={() => watching.toggle()}>
        {going ? <Pause /> : <Play />}
      </button>
      <input
        type="range"
        min={0}
        max={Math.max(length, 1)}
        step={10}
        value={position}
        aria-label={labels.position}
        aria-valuetext={positionText(position, length)}
        onInput={(event) => watching.player?.seek(event.currentTarget.valueAsNumber)}
      />
      <span class="watch-time quiet">{positionText(position, length)}</span>
      <select aria-label={labels.speed} title={labels.speed} value={String(speed)} onChange={(event) => watching.player?.setSpeed(Number(event.currentTarget.value))}>
        {SPEEDS.map((pace) => (
          <option key={pace} value={String(pace)}>
            {pace}×
          </option>
        ))}
      </select>
    </div>
  );
}

/** Where it is, ms, again and again. */
function usePosition(watching: Watching): number {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), TICK_MS);
    return () => clearInterval(timer);
  }, [watching]);
  return watching.position;
}

const WAYS: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };

/** Space and arrows, wherever the focus is, but where they mean something else. */
function useKeys(watching: Watching): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(target as HTMLInputElement)) return;
      const way = WAYS[event.key];
      if (way !== undefined) watching.skip(way * SKIP_MS);
      else if (event.key === ' ' && !target.closest('button, a')) watching.toggle();
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [watching]);
}
