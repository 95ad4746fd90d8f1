// The page of a recording.

import { useEffect, useState } from 'preact/hooks';
import { Message } from '../over';
import { remedyLabels } from '../problems';
import { useStore } from '../store';
import { labels } from '../labels';
import { Mark, Play } from '../ui/icons';
import { Controls } from './controls';
import { Tiles } from './tiles';
import { Watching, type WatchState } from './watch';
import { headingOf, watchProblem } from './words';
import '../styles/watch.css';

/** How often it was tried, and from where, ms. */
interface Attempt {
  count: number;
  from: number;
}

export function WatchScreen({ id }: { id: string }) {
  const [attempt, setAttempt] = useState<Attempt>({ count: 0, from: 0 });
  const again = (from: number): void => setAttempt(({ count }) => ({ count: count + 1, from }));
  return <Attempted key={attempt.count} id={id} from={attempt.from} again={again} />;
}

function Attempted({ id, from, again }: { id: string; from: number; again: (from: number) => void }) {
  const [watching] = useState(() => new Watching(id, from));
  useEffect(() => () => watching.close(), [watching]);
  const state = useStore(watching.store);
  const { title } = headingOf(id, state.about);
  useEffect(() => void (document.title = `${title} · Landline`), [title]);
  if (state.problem) return <Problem {...state.problem} again={() => again(watching.position)} />;
  return <Stage watching={watching} state={state} />;
}

function Stage({ watching, state }: { watching: Watching; state: WatchState }) {
  const { title, room } = headingOf(watching.id, state.about);
  return (
    <div class="watch">
      <header class="watch-head">
        <a class="brand" href="/" aria-label="Landline">
          <Mark />
        </a>
        <h1>{title}</h1>
        {room && <p class="quiet">{room}</p>}
      </header>
      <main class="watch-main" aria-busy={state.state === 'opening' || state.state === 'seeking'}>
        <Tiles watching={watching} state={state} />
        <Notice watching={watching} state={state} />
      </main>
      <Controls watching={watching} state={state} />
    </div>
  );
}

/** What stands over the pictures: what is waited for, or what to do. */
function Notice({ watching, state }: { watching: Watching; state: WatchState }) {
  if (state.state === 'blocked') {
    return (
      <button type="button" class="button primary large watch-start" onClick={() => watching.player?.play()}>
        <Play /> {labels.watch}
      </button>
    );
  }
  const text = waitsFor(state);
  return (
    <p class="watch-notice" role="status">
      {text && (
        <span class="watch-waits">
          <span class="spinner" /> {text}
        </span>
      )}
    </p>
  );
}

function waitsFor({ state, away }: WatchState): string {
  if (away) return 'Connection lost. Coming back…';
  if (state === 'opening') return 'Opening the recording…';
  if (state === 'seeking' || state === 'buffering') return 'Waiting for the picture…';
  return '';
}

function Problem({ code, text, again }: { code: string; text: string; again: () => void }) {
  const { title, why, advice, remedy } = watchProblem(code, text);
  return (
    <Message title={title}>
      <p>{why}</p>
      <p>{advice}</p>
      <div class="actions">
        <button type="button" class="button primary" onClick={() => (remedy === 'reload' ? location.reload() : again())}>
          {remedyLabels[remedy]}
        </button>
        <a class="button" href="/">
          Start a call
        </a>
      </div>
      <p class="code">
        code <code>{code}</code>
      </p>
    </Message>
  );
}
