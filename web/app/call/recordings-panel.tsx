import { useEffect, useState } from 'preact/hooks';
import { deleteOf, downloadOf, labels, playOf, progressOf, reallyDelete } from '../labels';
import { useStore } from '../store';
import { Bin, Download, Play, Refresh } from '../ui/icons';
import type { Call, CallState } from './call';
import { progressText } from './file-words';
import { PanelFrame } from './panel';
import { detailOf, whenOf } from './playback-words';
import type { RecordingLine } from './recordings';

/** What was recorded of the room, to be played for everybody, taken away, or deleted. */
export function RecordingsPanel({ call, state }: { call: Call; state: CallState }) {
  const { recordings } = call;
  const { lines, problem } = useStore(recordings.store);
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
              <Row key={line.id} call={call} line={line} played={state.playback?.recording === line.id} />
            ))}
          </ul>
        )}
      </div>
    </PanelFrame>
  );
}

function Row({ call, line, played }: { call: Call; line: RecordingLine; played: boolean }) {
  const { recordings } = call;
  const when = whenOf(line.id);
  const [sure, setSure] = useState(false);
  const { downloaded } = line;
  return (
    <li class="recording-row">
      <p class="recording-name">
        {when}
        <small class="quiet">{played ? 'is being played' : detailOf(line)}</small>
      </p>
      {line.state === 'saved' && (
        <div class="recording-tools">
          <button type="button" class="icon-button" aria-label={playOf(when)} title="Play for everyone" disabled={played} onClick={() => void recordings.play(line.id)}>
            <Play />
          </button>
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
