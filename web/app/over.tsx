import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { labels } from './labels';
import { problemOf, remedyLabels, type Remedy } from './problems';
import { Mark } from './ui/icons';
import type { Visit } from './visit';

/** A page with one message in the middle. Its heading takes the focus, so that it is read out. */
export function Message({ title, children }: { title: string; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [title]);
  return (
    <main class="message">
      <p class="brand">
        <Mark /> Landline
      </p>
      <div class="card">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </div>
    </main>
  );
}

export function Connecting({ room, onCancel }: { room: string; onCancel: () => void }) {
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

/** A part of the page did not come. */
export function Unloaded() {
  return (
    <Message title="The page did not come whole">
      <p>The server did not answer when the player was fetched, or has a newer version of it.</p>
      <div class="actions">
        <button type="button" class="button primary" onClick={() => location.reload()}>
          {remedyLabels.reload}
        </button>
      </div>
    </Message>
  );
}

/** After the call: left, or ended for a reason. */
export function Over({ visit, room, code, text }: { visit: Visit; room: string; code: string; text: string }) {
  if (code === 'left') return <Left visit={visit} room={room} />;
  return <Failed key={code} visit={visit} room={room} code={code} text={text} />;
}

function Left({ visit, room }: { visit: Visit; room: string }) {
  return (
    <Message title="You left the call">
      <p>
        The room <strong>{room}</strong> stays open as long as somebody is in it.
      </p>
      <div class="actions">
        <button type="button" class="button primary" onClick={() => void visit.join(room)}>
          {labels.rejoin}
        </button>
        <button type="button" class="button" onClick={() => goHome(visit)}>
          Start another call
        </button>
      </div>
    </Message>
  );
}

function Failed({ visit, room, code, text }: { visit: Visit; room: string; code: string; text: string }) {
  const { title, why, advice, remedy, wait } = problemOf(code, text);
  const left = useCountdown(wait);
  return (
    <Message title={title}>
      <p>{why}</p>
      <p>{advice}</p>
      <div class="actions">
        <button type="button" class="button primary" disabled={left > 0} onClick={() => act(remedy, visit, room)}>
          {left > 0 ? `${remedyLabels[remedy]} in ${left} s` : remedyLabels[remedy]}
        </button>
        {remedy === 'again' && (
          <button type="button" class="button" onClick={() => visit.start(room)}>
            {remedyLabels.edit}
          </button>
        )}
      </div>
      <p class="code">
        Room {room} · code <code>{code}</code>
      </p>
    </Message>
  );
}

function act(remedy: Remedy, visit: Visit, room: string): void {
  if (remedy === 'again') void visit.join(room);
  else if (remedy === 'edit') visit.start(room);
  else if (remedy === 'reload') location.reload();
  else goHome(visit);
}

function goHome(visit: Visit): void {
  history.pushState(null, '', '/');
  visit.start(undefined);
}

function useCountdown(seconds: number): number {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return left;
}
