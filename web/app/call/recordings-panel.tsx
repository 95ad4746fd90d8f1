import { useEffect, useRef, useState } from 'preact/hooks';
import { deleteOf, downloadOf, labels, playOf, progressOf, queueOf, reallyDelete, stillOf, watchOf } from '../labels';
import { lendToken, pathOfRecording } from '../route';
import { useStore } from '../store';
import { Bin, Clip, Download, Play, Queue, Refresh, Watch } from '../ui/icons';
import type { PlaybackInfo } from '../../sdk';
import type { Call, CallState } from './call';
import { progressText, shortName } from './file-words';
import { PanelFrame } from './panel';
import { addingText, detailOf, nameOf } from './playback-words';
import type { RecordingLine, RecordingList, RecordingsState } from './recordings';

/** What was recorded of the room, to be played for everybody, taken away, or deleted. */
export function RecordingsPanel({ call, state }: { call: Call; state: CallState }) {
  const { recordings } = call;
  const { lines, problem, adding } = useStore(recordings.store);
  const { recording } = state;
  useEffect(() => void recordings.load(), [recordings, recording?.id, recording?.state]);
  return (
    <PanelFrame call={call} panel="recordings" title={labels.recordings}>
      <div class="scroll" aria-busy={!lines && !problem}>
        {problem && (
          <div class="empty" role="alert">
            <p>{problem}</p>
            <button type="button" class="button small" onClick={() => void recordings.load()}>
              <Refresh /> {labels.again}
            </button>
          </div>
        )}
        {!lines && !problem && (
          <p class="empty quiet">
            <span class="spinner" /> Looking what there is…
          </p>
        )}
        {lines?.length === 0 && <p class="empty quiet">Nothing was recorded in this room yet. “{labels.record}” begins.</p>}
        {lines && lines.length > 0 && (
          <ul class="recordings" role="list" aria-label={labels.recordings}>
            {lines.map((line) => (
              <Row key={line.id} call={call} line={line} playback={state.playback} />
            ))}
          </ul>
        )}
      </div>
      <AddFile recordings={recordings} adding={adding} />
    </PanelFrame>
  );
}

const TAKEN = '.mkv,video/*,audio/*';

function AddFile({ recordings, adding }: { recordings: RecordingList; adding: RecordingsState['adding'] }) {
  const input = useRef<HTMLInputElement>(null);
  const chosen = (): void => {
    const file = input.current?.files?.[0];
    if (file) void recordings.add(file);
    if (input.current) input.current.value = '';
  };
  return (
    <footer class="recordings-add">
      <input ref={input} type="file" accept={TAKEN} hidden onChange={chosen} />
      <button type="button" class="button small" disabled={adding !== undefined} onClick={() => input.current?.click()}>
        <Clip /> {labels.addFile}
      </button>
      {adding ? (
        <div class="file-progress">
          <progress aria-label={progressOf(adding.name, '')} max={adding.made < 1 ? 1 : Math.max(adding.size, 1)} value={adding.made < 1 ? adding.made : adding.sent} />
          <small class="quiet">
            {shortName(adding.name)}: {addingText(adding)}
          </small>
          <button type="button" class="button small" onClick={() => recordings.cancelAdding()}>
            {labels.cancelAdding}
          </button>
        </div>
      ) : (
        <small class="quiet">A video or sound, to be played for everyone</small>
      )}
    </footer>
  );
}

function Row({ call, line, playback }: { call: Call; line: RecordingLine; playback: PlaybackInfo | undefined }) {
  const { recordings } = call;
  const when = nameOf(line);
  const [sure, setSure] = useState(false);
  const { downloaded } = line;
  const played = playback?.recording === line.id;
  const queued = playback?.next.includes(line.id) ?? false;
  return (
    <li class="recording-row">
      <span class="recording-still">{line.still && <img src={line.still} alt={stillOf(when)} />}</span>
      <p class="recording-name">
        {when}
        <small class="quiet">{played ? 'is being played' : queued ? 'is played afterwards' : detailOf(line)}</small>
      </p>
      {line.state === 'saved' && (
        <div class="recording-tools">
          <WatchLink room={call.room.name} id={line.id} when={when} />
          <button type="button" class="icon-button" aria-label={playOf(when)} title="Play for everyone" disabled={played} onClick={() => void recordings.play(line.id)}>
            <Play />
          </button>
          {playback && !played && (
            <button type="button" class="icon-button" aria-label={queueOf(when)} title="Play afterwards" disabled={queued} onClick={() => void call.control({ next: [...playback.next, line.id] })}>
              <Queue />
            </button>
          )}
          <button type="button" class="icon-button" aria-label={downloadOf(when)} title="Download" disabled={downloaded !== undefined} onClick={() => void recordings.download(line)}>
            <Download />
          </button>
          <button type="button" class="icon-button" aria-label={deleteOf(when)} title="Delete" aria-expanded={sure} disabled={played} onClick={() => setSure(!sure)}>
            <Bin />
          </button>
        </div>
      )}
      {downloaded !== undefined && (
        <div class="file-progress">
          <progress aria-label={progressOf(when, '')} max={Math.max(line.bytes, 1)} value={downloaded} />
          <small class="quiet">{progressText(downloaded, line.bytes)}</small>
        </div>
      )}
      {sure && !played && (
        <div class="recording-sure">
          <button type="button" class="button small danger" aria-label={reallyDelete(when)} onClick={() => void recordings.remove(line.id)}>
            Delete for good
          </button>
          <button type="button" class="button small" onClick={() => setSure(false)}>
            Keep
          </button>
        </div>
      )}
    </li>
  );
}

/** Opens a page of its own, so that the call goes on. It is told of its opener, which is what makes it begin with this page's tokens. */
function WatchLink({ room, id, when }: { room: string; id: string; when: string }) {
  return (
    <a class="icon-button" href={pathOfRecording(id)} target="_blank" rel="opener" aria-label={watchOf(when)} title="Watch alone" onClick={() => lendToken(room, id)}>
      <Watch />
    </a>
  );
}
