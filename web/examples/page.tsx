// What both examples share: the way into a room without media, and what is shown while one is not in it.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { join, JoinError, roomName, type Room, type RoomState } from '../sdk';
import { claimPlace, show } from './address';

interface ExampleProps {
  title: string;
  lead: string;
  /** What the button says that goes in. */
  enter: string;
  /** Whether who goes in gives a name. Without one, a link with a room goes straight in. */
  named?: boolean;
  children: (room: Room, state: RoomState) => ComponentChildren;
}

type Phase =
  | { at: 'door' }
  | { at: 'joining'; room: string }
  | { at: 'in'; room: Room; state: RoomState }
  | { at: 'over'; room: string; code: string; text: string };

const NAME_KEY = 'landline.example.name';

export function Example({ title, lead, enter, named = false, children }: ExampleProps) {
  const [place] = useState(claimPlace);
  const [phase, setPhase] = useState<Phase>({ at: 'door' });
  const attempt = useRef(0);
  const nameless = named ? 'Guest' : title;
  const go = async (room: string, name: string) => {
    const own = ++attempt.current;
    const over = (code: string, text: string) => own === attempt.current && setPhase({ at: 'over', room, code, text });
    show(room, place.token);
    setPhase({ at: 'joining', room });
    try {
      const joined = await join({ room, name, receive: false, ...(place.token && { token: place.token }) });
      if (own !== attempt.current) return void joined.leave();
      setPhase({ at: 'in', room: joined, state: joined.state });
      joined.on('state', (state) => {
        if (state === 'closed') over(joined.closeReason?.code ?? 'closed', joined.closeReason?.text ?? '');
        else if (own === attempt.current) setPhase({ at: 'in', room: joined, state });
      });
    } catch (error) {
      over(error instanceof JoinError ? error.code : 'unknown', error instanceof Error ? error.message : String(error));
    }
  };
  useEffect(() => {
    const room = roomName(place.room);
    if (room && !named) void go(room, nameless);
    // Another link was put into the address bar.
    addEventListener('hashchange', () => location.reload());
  }, []);
  const back = () => {
    attempt.current++;
    setPhase({ at: 'door' });
  };
  if (phase.at === 'in') return <>{children(phase.room, phase.state)}</>;
  if (phase.at === 'joining') return <Joining room={phase.room} onCancel={back} />;
  if (phase.at === 'over') return <Over {...phase} onAgain={() => void go(phase.room, storedName() || nameless)} onBack={back} />;
  return <Door title={title} lead={lead} enter={enter} named={named} room={place.room} onEnter={(room, name) => void go(room, name || nameless)} />;
}

/** A page with one message in the middle. Its heading takes the focus, so that it is read out. */
function Message({ title, children }: { title: string; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [title]);
  return (
    <main class="message">
      <Brand />
      <div class="card">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </div>
    </main>
  );
}

export function Brand() {
  return (
    <a class="brand home" href="/">
      <img src="/favicon.svg" width="30" height="30" alt="" /> Landline
    </a>
  );
}

interface DoorProps {
  title: string;
  lead: string;
  enter: string;
  named: boolean;
  room: string;
  onEnter: (room: string, name: string) => void;
}

function Door({ title, lead, enter, named, room, onEnter }: DoorProps) {
  const [typed, setTyped] = useState(() => room || `${title.toLowerCase()}-${100 + Math.floor(Math.random() * 900)}`);
  const [name, setName] = useState(storedName);
  const [asked, setAsked] = useState(false);
  const target = roomName(typed);
  const submit = (event: Event) => {
    event.preventDefault();
    setAsked(true);
    if (!target) return;
    storeName(name.trim());
    onEnter(target, name.trim());
  };
  return (
    <Message title={title}>
      <p class="quiet">{lead}</p>
      <form class="door" onSubmit={submit} noValidate>
        {named && (
          <label class="field">
            <span>Your name</span>
            <input type="text" name="name" autocomplete="name" placeholder="Guest" maxLength={32} value={name} onInput={(e) => setName(e.currentTarget.value)} />
          </label>
        )}
        <label class="field">
          <span>Room</span>
          <input type="text" name="room" autocomplete="off" spellcheck={false} maxLength={64} value={typed} aria-invalid={asked && !target} aria-describedby="room-hint" onInput={(e) => setTyped(e.currentTarget.value)} />
          <small id="room-hint" class={asked && !target ? 'complaint' : ''}>
            {asked && !target ? 'A room name needs at least one letter or digit.' : 'Whoever opens the same room is there, too.'}
          </small>
        </label>
        <button type="submit" class="button primary large">
          {enter}
        </button>
      </form>
    </Message>
  );
}

function Joining({ room, onCancel }: { room: string; onCancel: () => void }) {
  return (
    <Message title={`Joining ${room}…`}>
      <div class="progress" role="progressbar" aria-label="Connecting" />
      <div class="actions">
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </Message>
  );
}

const reasons: Record<string, string> = {
  unreachable: 'The server does not answer. Check that you are online, then try again.',
  'bad-token': 'This server lets in only people with an invitation: a link with a personal token behind the #.',
  'token-expired': 'Your invitation has expired. Ask for a new link.',
  forbidden: 'Your invitation is for another room.',
  replaced: 'The same invitation is now in use somewhere else.',
  'room-full': 'This room is full. Try again when somebody has left.',
};

interface OverProps {
  room: string;
  code: string;
  text: string;
  onAgain: () => void;
  onBack: () => void;
}

function Over({ room, code, text, onAgain, onBack }: OverProps) {
  return (
    <Message title="The connection is over">
      <p>{reasons[code] ?? (text || 'The server closed it.')}</p>
      <div class="actions">
        <button type="button" class="button primary" onClick={onAgain}>
          Try again
        </button>
        <button type="button" class="button" onClick={onBack}>
          Another room
        </button>
      </div>
      <p class="code">
        Room {room} · code <code>{code}</code>
      </p>
    </Message>
  );
}

/** What the relay refused, in its own words, until it is dismissed. */
function Refusals({ room }: { room: Room }) {
  const [text, setText] = useState('');
  useEffect(() => room.on('notice', (notice) => setText(notice.text)), [room]);
  return (
    <div role="alert">
      {text && (
        <p class="refusal">
          <span>{text}</span>
          <button type="button" class="button small" onClick={() => setText('')}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}

/** The bar on top of an example: where one is, whether it is live, and the link for others. */
export function Bar({ title, room, state }: { title: string; room: Room; state: RoomState }) {
  const [copied, setCopied] = useState('');
  const copy = () => {
    navigator.clipboard.writeText(location.href).then(() => setCopied('Link copied'), () => setCopied('Copy the address by hand'));
    setTimeout(() => setCopied(''), 2_500);
  };
  return (
    <header class="bar">
      <Brand />
      <h1>
        {title} <span class="quiet">{room.name}</span>
      </h1>
      <span class={`pill ${state}`} role="status">
        {state === 'online' ? 'Live' : 'Reconnecting…'}
      </span>
      <button type="button" class="button small" onClick={copy}>
        {copied || 'Copy link'}
      </button>
      <Refusals room={room} />
    </header>
  );
}

function storedName(): string {
  try {
    return localStorage.getItem(NAME_KEY) ?? '';
  } catch {
    return '';
  }
}

function storeName(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // Storage is off: the name holds for this visit.
  }
}
