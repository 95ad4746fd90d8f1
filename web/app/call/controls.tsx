import { useEffect, useRef, useState } from 'preact/hooks';
import { labels } from '../labels';
import { canShare, isOn } from '../media/media';
import { useStore } from '../store';
import * as icons from '../ui/icons';
import { Tool, useQuery } from '../ui/parts';
import type { Visit } from '../visit';
import type { Call, CallState } from './call';
import { isRecorded } from './recording-words';
import { badge } from './chatlog';
import { pickFilm } from './film-bar';

export type DialogName = 'settings' | 'shortcuts';

interface Props {
  visit: Visit;
  call: Call;
  state: CallState;
  onDialog: (name: DialogName) => void;
}

/** The control bar. On narrow pages the rarer controls move into a menu. */
export function Controls(props: Props) {
  const { visit, call, state } = props;
  const narrow = useQuery('(max-width: 719px)');
  return (
    <section id="controls" class="controls" aria-label="Call controls">
      <div class="controls-group">
        <MediaTools call={call} />
        {!narrow && <ShareTool call={call} />}
        {!narrow && <FilmTool call={call} />}
        {!narrow && <RecordTool call={call} state={state} />}
      </div>
      <div class="controls-group">
        <ChatTool call={call} state={state} />
        <PeopleTool call={call} state={state} />
        {!narrow && <RecordingsTool call={call} state={state} />}
        {narrow ? <MoreMenu {...props} /> : <RareTools {...props} />}
      </div>
      <div class="controls-group">
        <Tool label={labels.leave} tone="danger" onClick={() => visit.leave()}>
          <icons.HangUp />
        </Tool>
      </div>
    </section>
  );
}

function MediaTools({ call }: { call: Call }) {
  const { mic, camera } = useStore(call.media.store);
  const [micOn, cameraOn] = [isOn(mic), isOn(camera)];
  return (
    <>
      <Tool
        label={micOn ? labels.mute : labels.unmute}
        tone={micOn ? undefined : 'off'}
        shortcut="m"
        busy={mic.asking}
        onClick={() => void call.media.want('mic', !micOn)}
      >
        {micOn ? <icons.Mic /> : <icons.MicOff />}
      </Tool>
      <Tool
        label={cameraOn ? labels.cameraOff : labels.cameraOn}
        tone={cameraOn ? undefined : 'off'}
        shortcut="v"
        busy={camera.asking}
        onClick={() => void call.media.want('camera', !cameraOn)}
      >
        {cameraOn ? <icons.Camera /> : <icons.CameraOff />}
      </Tool>
    </>
  );
}

function ShareTool({ call }: { call: Call }) {
  const { screen } = useStore(call.media.store);
  if (!canShare()) return null;
  return (
    <Tool label={screen ? labels.stopSharing : labels.share} tone={screen ? 'on' : undefined} onClick={() => void call.share()}>
      {screen ? <icons.ScreenOff /> : <icons.Screen />}
    </Tool>
  );
}

function FilmTool({ call }: { call: Call }) {
  const { opening, on } = useStore(call.film.store);
  return (
    <Tool label={labels.streamFile} tone={on ? 'on' : undefined} busy={opening} onClick={() => pickFilm(call.film)}>
      <icons.Film />
    </Tool>
  );
}

function RecordTool({ call, state }: { call: Call; state: CallState }) {
  if (!state.mayRecord) return null;
  const on = isRecorded(state.recording);
  return (
    <Tool label={on ? labels.stopRecording : labels.record} tone={on ? 'on' : undefined} onClick={() => call.room.record(!on)}>
      <icons.Record />
    </Tool>
  );
}

function ChatTool({ call, state }: { call: Call; state: CallState }) {
  const { open, unread } = state.chat;
  return (
    <Tool
      label={open ? labels.closeChat : labels.openChat}
      tone={open ? 'on' : undefined}
      shortcut="c"
      expanded={open}
      badge={unread > 0 ? badge(unread) : undefined}
      described={unread > 0 ? `${unread} unread` : undefined}
      onClick={() => call.toggle('chat')}
    >
      <icons.Chat />
    </Tool>
  );
}

function PeopleTool({ call, state }: { call: Call; state: CallState }) {
  const open = state.panel === 'people';
  return (
    <Tool
      label={open ? labels.closePeople : labels.openPeople}
      tone={open ? 'on' : undefined}
      expanded={open}
      onClick={() => call.toggle('people')}
    >
      <icons.People />
    </Tool>
  );
}

function RecordingsTool({ call, state }: { call: Call; state: CallState }) {
  if (!state.mayPlay) return null;
  const open = state.panel === 'recordings';
  return (
    <Tool label={open ? labels.closeRecordings : labels.openRecordings} tone={open ? 'on' : undefined} expanded={open} onClick={() => call.toggle('recordings')}>
      <icons.Films />
    </Tool>
  );
}

function RareTools({ call, state, onDialog }: Props) {
  const open = state.panel === 'connection';
  return (
    <>
      <Tool label={labels.connection} tone={open ? 'on' : undefined} expanded={open} onClick={() => call.toggle('connection')}>
        <icons.Signal />
      </Tool>
      <Tool label={labels.settings} onClick={() => onDialog('settings')}>
        <icons.Gear />
      </Tool>
    </>
  );
}

/** What RareTools, ShareTool and FilmTool are on a wide page, as a list. */
function MoreMenu({ call, state, onDialog }: Props) {
  const [open, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const { screen } = useStore(call.media.store);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      const escape = event instanceof KeyboardEvent && event.key === 'Escape';
      if (escape || (event.type === 'pointerdown' && !menu.current?.contains(event.target as Node))) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('keydown', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('keydown', outside);
    };
  }, [open]);
  const choose = (action: () => void) => () => {
    setOpen(false);
    action();
  };
  return (
    <div ref={menu} class="more">
      <Tool label={labels.more} expanded={open} tone={open ? 'on' : undefined} onClick={() => setOpen(!open)}>
        <icons.More />
      </Tool>
      {open && (
        <div class="more-list">
          {canShare() && (
            <button type="button" onClick={choose(() => void call.share())}>
              <icons.Screen /> {screen ? labels.stopSharing : labels.share}
            </button>
          )}
          <button type="button" onClick={choose(() => pickFilm(call.film))}>
            <icons.Film /> {labels.streamFile}
          </button>
          {state.mayRecord && (
            <button type="button" onClick={choose(() => call.room.record(!isRecorded(state.recording)))}>
              <icons.Record /> {isRecorded(state.recording) ? labels.stopRecording : labels.record}
            </button>
          )}
          {state.mayPlay && (
            <button type="button" onClick={choose(() => call.toggle('recordings'))}>
              <icons.Films /> {labels.recordings}
            </button>
          )}
          <button type="button" onClick={choose(() => call.toggle('connection'))}>
            <icons.Signal /> {labels.connection}
          </button>
          <button type="button" onClick={choose(() => onDialog('settings'))}>
            <icons.Gear /> {labels.settings}
          </button>
        </div>
      )}
    </div>
  );
}
