import { useEffect, useState } from 'preact/hooks';
import { labels } from '../labels';
import { isOn } from '../media/media';
import { useStore } from '../store';
import { Link, Mark, Sound } from '../ui/icons';
import { Dialog } from '../ui/parts';
import type { Visit } from '../visit';
import { Alone } from './alone';
import type { Call, CallState } from './call';
import { ChatPanel } from './chat';
import { ConnectionPanel } from './connection';
import { Controls, type DialogName } from './controls';
import { FilmBar } from './film-bar';
import { recordingMark } from './recording-words';
import { PeoplePanel } from './people';
import { PlaybackBar } from './playback-bar';
import { RecordingsPanel } from './recordings-panel';
import { Settings } from './settings';
import { commandOf, keys } from './shortcuts';
import { Stage } from './stage';

/** A call that is on. */
export function CallScreen({ visit, call }: { visit: Visit; call: Call }) {
  const state = useStore(call.store);
  const [dialog, setDialog] = useState<DialogName | undefined>();
  useShortcuts(call, dialog !== undefined, setDialog);
  useTitle(call.room.name, state.chat.unread);
  useEffect(() => call.greet(), [call]);
  const alone = state.members.length === 0;
  const skip = () => document.getElementById('controls')?.querySelector('button')?.focus();
  return (
    <div class="call">
      <button type="button" class="skip" onClick={skip}>
        {labels.skip}
      </button>
      <Head visit={visit} call={call} recorded={recordingMark(state.recording)} people={people(state)} alone={alone} />
      <main class={alone ? 'call-main alone-main' : 'call-main'} aria-label="Call">
        <Banners call={call} state={state} />
        <Stage call={call} state={state} />
        {alone && <Alone visit={visit} room={call.room.name} />}
      </main>
      <PanelView call={call} state={state} />
      <div class="playbacks">
        {state.playback && <PlaybackBar call={call} playback={state.playback} may={state.mayPlay} />}
        <FilmBar film={call.film} />
      </div>
      <Controls visit={visit} call={call} state={state} onDialog={setDialog} />
      <div class="sr" aria-live="polite" role="log" aria-label="Announcements">
        <p key={state.news}>{state.news}</p>
      </div>
      {dialog === 'settings' && <Settings call={call} onClose={() => setDialog(undefined)} />}
      {dialog === 'shortcuts' && <Shortcuts onClose={() => setDialog(undefined)} />}
    </div>
  );
}

/** How many are there, oneself counted, those who are only played not. */
const people = ({ members, playback }: CallState): number => 1 + members.filter(({ id }) => !playback?.members.includes(id)).length;

function Head({ visit, call, recorded, people, alone }: { visit: Visit; call: Call; recorded: string | undefined; people: number; alone: boolean }) {
  return (
    <header class="call-head">
      <Mark />
      <h1>{call.room.name}</h1>
      <span class="quiet count">{people === 1 ? '1 person' : `${people} people`}</span>
      <span role="status">{recorded && <span class="recorded">{recorded}</span>}</span>
      {!alone && (
        <button type="button" class="button small" onClick={() => void visit.copyLink()}>
          <Link /> {labels.copyLink}
        </button>
      )}
    </header>
  );
}

function Banners({ call, state }: { call: Call; state: CallState }) {
  return (
    <div class="banners">
      <div role="status">
        {state.state === 'reconnecting' && (
          <p class="banner">
            <span class="spinner" /> Connection lost. Getting back in…
          </p>
        )}
      </div>
      {state.audioBlocked && (
        <button type="button" class="button primary hear" onClick={() => void call.hear()}>
          <Sound /> {labels.hear}
        </button>
      )}
    </div>
  );
}

function PanelView({ call, state }: { call: Call; state: CallState }) {
  switch (state.panel) {
    case 'chat':
      return <ChatPanel call={call} state={state} />;
    case 'people':
      return <PeoplePanel call={call} state={state} />;
    case 'recordings':
      return <RecordingsPanel call={call} state={state} />;
    case 'connection':
      return <ConnectionPanel call={call} state={state} />;
    default:
      return null;
  }
}

function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={labels.shortcuts} onClose={onClose}>
      <dl class="keys">
        {keys.map(({ key, text }) => (
          <div key={key}>
            <dt>
              <kbd>{key === 'Escape' ? 'Esc' : key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function useTitle(room: string, unread: number): void {
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${room} · Landline`;
  }, [room, unread]);
}

function useShortcuts(call: Call, dialogOpen: boolean, open: (name: DialogName) => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const { media, store } = call;
      switch (commandOf(event, event.target as HTMLElement | null, dialogOpen)) {
        case 'mic':
          return void media.want('mic', !isOn(media.store.get().mic));
        case 'camera':
          return void media.want('camera', !isOn(media.store.get().camera));
        case 'chat':
          // The letter must not land in the message field that is about to take the focus.
          event.preventDefault();
          return call.toggle('chat');
        case 'help':
          return open('shortcuts');
        case 'escape': {
          const { panel } = store.get();
          if (panel) call.toggle(panel);
        }
      }
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [call, dialogOpen, open]);
}
