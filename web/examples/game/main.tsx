// A game for everybody in a room: steer a dot, be the first at a gem. No server code: the relay carries four topics.

import { render } from 'preact';
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Room, RoomState } from '../../sdk';
import { Bar, Example } from '../page';
import { Arena, tintOf } from './arena';
import { Match } from './match';
import { Steering } from './steering';
import '../../app/styles/base.css';
import '../../app/styles/forms.css';
import '../page.css';
import './game.css';

/** Behind a pause of the page the world does not catch up for longer than this. */
const MOST_S = 0.1;

function useMatch(room: Room, field: { current: HTMLElement | null }): Match | undefined {
  const [match, setMatch] = useState<Match>();
  const [, render] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    let arena: Arena | undefined;
    const players = () => {
      arena?.players();
      render(undefined);
    };
    const own = new Match(room, {
      players,
      wave: (at) => arena?.spread(at, 'wave'),
      taken: (at, mine) => arena?.spread(at, mine ? 'won' : 'gone'),
    });
    arena = new Arena(field.current!, own);
    const stop = run(own, arena, new Steering(field.current!, arena, own));
    players();
    setMatch(own);
    field.current!.focus();
    return stop;
  }, [room]);
  return match;
}

/** Lets the world go on with every picture, until the returned function is called. */
function run(match: Match, arena: Arena, steering: Steering): () => void {
  let last = performance.now();
  const turn = (now: number) => {
    steering.step();
    match.step(Math.min((now - last) / 1_000, MOST_S));
    last = now;
    arena.paint();
    frame = requestAnimationFrame(turn);
  };
  let frame = requestAnimationFrame(turn);
  return () => {
    cancelAnimationFrame(frame);
    steering.close();
    match.close();
    arena.close();
  };
}

function Game({ room, state }: { room: Room; state: RoomState }) {
  const field = useRef<HTMLDivElement>(null);
  const match = useMatch(room, field);
  return (
    <main class="example game">
      <Bar title="Dots" room={room} state={state} />
      <div class="table">
        <div class={`frame ${state === 'online' ? '' : 'lost'}`}>
          <div ref={field} class="arena" role="application" tabIndex={0} aria-label="Field" aria-describedby="how" />
        </div>
        <aside class="side">
          <section>
            <h2>Scores</h2>
            <Scores match={match} />
          </section>
          {match?.others.size === 0 && <p class="alone">You are alone here. Send the link to somebody: who opens it plays along.</p>}
          <p id="how" class="quiet">
            Your dot follows the pointer or your finger, or the keys <Keys of="←↑↓→" /> or <Keys of="WASD" />. A click or <kbd>Space</kbd> makes a wave. Who is first at a gem
            gets it.
          </p>
        </aside>
      </div>
    </main>
  );
}

function Keys({ of }: { of: string }) {
  return (
    <span class="keys">
      {[...of].map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </span>
  );
}

function Scores({ match }: { match: Match | undefined }) {
  const players = match ? [match.me, ...match.others.values()] : [];
  players.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  return (
    <ol class="scores" aria-label="Scores">
      {players.map(({ id, name, score }) => (
        <li key={id} class={id === match?.me.id ? 'own' : ''}>
          <span class={`chip tint-${tintOf(id)}`} aria-hidden="true" />
          <span class="who">{id === match?.me.id ? `${name} (you)` : name}</span>
          <strong>{score}</strong>
        </li>
      ))}
    </ol>
  );
}

render(
  <Example title="Dots" lead="Everybody in the room steers a dot. Be the first at a gem." enter="Play" named>
    {(room, state) => <Game room={room} state={state} />}
  </Example>,
  document.getElementById('app')!,
);
