import { useEffect, useRef, useState } from 'preact/hooks';
import { roomName } from '../../sdk';
import { labels } from '../labels';
import { suggestRoom } from '../names';
import { linkOfRoom } from '../route';
import { useStore } from '../store';
import { obstacle } from '../support';
import { Mark, Refresh } from '../ui/icons';
import type { Visit } from '../visit';
import { ObstacleNote } from './obstacle';
import { Preview } from './preview';

/** The first page, and the page of a room before one is in it. */
export function Start({ visit, room }: { visit: Visit; room: string | undefined }) {
  const [blocked] = useState(obstacle);
  useEffect(() => {
    if (!blocked) void visit.media.start();
  }, [visit, blocked]);
  return (
    <main class="start">
      <div class="start-grid">
        <div class="start-words">
          <p class="brand">
            <Mark /> Landline
          </p>
          {room === undefined ? <Welcome /> : <Invitation room={room} />}
          {blocked && <ObstacleNote obstacle={blocked} />}
          <JoinForm visit={visit} room={room} disabled={blocked !== undefined} />
          {room === undefined && <Examples />}
        </div>
        {!blocked && <Preview media={visit.media} />}
      </div>
    </main>
  );
}

function Welcome() {
  return (
    <header>
      <h1>Calls that always go through.</h1>
      <p class="lead">Open a room, send the link, talk. Works wherever a web page does: no account, nothing to install.</p>
    </header>
  );
}

/** Pages that use a room for other things than a call. */
function Examples() {
  return (
    <p class="examples">
      Rooms carry data, too: <a href="/examples/ticker.html">{labels.ticker}</a> <a href="/examples/game.html">{labels.game}</a>
    </p>
  );
}

function Invitation({ room }: { room: string }) {
  return (
    <header>
      <p class="eyebrow">You are about to join</p>
      <h1 class="room-title">{room}</h1>
    </header>
  );
}

function JoinForm({ visit, room, disabled }: { visit: Visit; room: string | undefined; disabled: boolean }) {
  const { prefs } = useStore(visit.media.store);
  const [typed, setTyped] = useState(() => room ?? suggestRoom());
  const [asked, setAsked] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const target = roomName(room ?? typed);
  const submit = (event: Event) => {
    event.preventDefault();
    setAsked(true);
    if (disabled) return;
    if (target) void visit.join(target);
    else field.current?.focus();
  };
  return (
    <form class="join-form" onSubmit={submit} noValidate>
      {room === undefined && (
        <RoomField field={field} typed={typed} target={target} complain={asked && !target} onTyped={setTyped} />
      )}
      <label class="field">
        <span>{labels.yourName}</span>
        <input
          type="text"
          name="name"
          autocomplete="name"
          placeholder="Guest"
          maxLength={64}
          value={prefs.name}
          onInput={(event) => visit.media.save({ name: event.currentTarget.value })}
        />
      </label>
      <button type="submit" class="button primary large" disabled={disabled}>
        {labels.join}
      </button>
    </form>
  );
}

interface RoomFieldProps {
  field: { current: HTMLInputElement | null };
  typed: string;
  /** The room that the text stands for; "" if none. */
  target: string;
  complain: boolean;
  onTyped: (text: string) => void;
}

function RoomField({ field, typed, target, complain, onTyped }: RoomFieldProps) {
  const link = target && linkOfRoom(location.host, target);
  return (
    <div class="field">
      <label for="room">{labels.room}</label>
      <div class="with-button">
        <input
          ref={field}
          id="room"
          type="text"
          name="room"
          autocomplete="off"
          spellcheck={false}
          maxLength={200}
          value={typed}
          aria-invalid={complain}
          aria-describedby="room-hint"
          onInput={(event) => onTyped(event.currentTarget.value)}
        />
        <button type="button" class="icon-button" aria-label="Suggest another name" title="Suggest another name" onClick={() => onTyped(suggestRoom())}>
          <Refresh />
        </button>
      </div>
      <small id="room-hint" class={complain ? 'complaint' : ''}>
        {complain ? 'A room name needs at least one letter or digit.' : link || 'Anything you like; others join under the same name.'}
      </small>
    </div>
  );
}
