import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Delivery, TransferWhy } from '../../sdk';
import { acceptOf, cancelOf, declineOf, labels, progressOf, saveOf, stopOf } from '../labels';
import { Download, Paper } from '../ui/icons';
import { clock } from './chatlog';
import { endOf, failureOf, progressText, shortName, sizeText, standings } from './file-words';
import { settled, type FileLine, type Files } from './files';

/** A file in the chat. */
export function FileView({ files, line }: { files: Files; line: FileLine }) {
  const { card, touched } = useFocusKept(`${line.state} ${settled(line.deliveries)}`);
  return (
    <article class={`chat-message first ${line.own ? 'own' : ''}`}>
      <header>
        <strong>{line.own ? labels.you : line.from}</strong>
        <time dateTime={new Date(line.at).toISOString()}>{clock(line.at)}</time>
      </header>
      <div ref={card} class="file-card" role="group" tabIndex={-1} aria-label={`File ${line.name}`} onClick={touched}>
        <Paper />
        <p class="file-name">
          <bdi title={line.name}>{shortName(line.name)}</bdi>
          <small class="quiet">{sizeText(line.size)}</small>
        </p>
        {line.own ? <Own files={files} line={line} /> : <Theirs files={files} line={line} />}
      </div>
    </article>
  );
}

/** A control that was used and goes with the next state takes the focus with it: it passes to another one of the card, or to the card. */
function useFocusKept(state: string) {
  const card = useRef<HTMLDivElement>(null);
  const used = useRef(false);
  useLayoutEffect(() => {
    const element = card.current;
    if (!element || !used.current || document.activeElement !== document.body) return;
    (element.querySelector<HTMLElement>('button, a') ?? element).focus();
  }, [state]);
  return { card, touched: () => (used.current = true) };
}

function Bar({ file, person = '', bytes, size }: { file: string; person?: string; bytes: number; size: number }) {
  return (
    <div class="file-progress">
      <progress aria-label={progressOf(file, person)} max={Math.max(size, 1)} value={bytes} />
      <small class="quiet">{person ? `${person}: ${progressText(bytes, size)}` : progressText(bytes, size)}</small>
    </div>
  );
}

/** Somebody else's file. */
function Theirs({ files, line }: { files: Files; line: FileLine }) {
  const { key, name, size, state, why, bytes, link } = line;
  switch (state) {
    case 'offered':
      return (
        <div class="file-actions">
          <button type="button" class="button small primary" aria-label={acceptOf(name)} onClick={() => files.accept(key)}>
            Accept
          </button>
          <button type="button" class="button small" aria-label={declineOf(name)} onClick={() => files.decline(key)}>
            Decline
          </button>
        </div>
      );
    case 'accepted':
      return (
        <>
          <Bar file={name} bytes={bytes} size={size} />
          <div class="file-actions">
            <button type="button" class="button small" aria-label={cancelOf(name)} onClick={() => files.cancel(key)}>
              Cancel
            </button>
          </div>
        </>
      );
    case 'done':
      return (
        <div class="file-actions">
          <a class="button small primary" aria-label={saveOf(name)} href={link} download={name}>
            <Download /> Save
          </a>
        </div>
      );
    default:
      return <p class={`file-note ${why && why.code !== 'cancelled-here' ? 'bad' : 'quiet'}`}>{why ? failureOf(why) : 'You declined it.'}</p>;
  }
}

/** A file of one's own: who gets it, who has it, who does not want it. */
function Own({ files, line }: { files: Files; line: FileLine }) {
  const { key, name, state, why, deliveries } = line;
  const over = settled(deliveries);
  return (
    <>
      {deliveries.filter((d) => d.state === 'accepted').map((d) => <Bar key={d.member} file={name} person={d.name} bytes={d.bytes} size={line.size} />)}
      <Notes deliveries={deliveries} over={why} />
      {state === 'failed' && why && <p class={`file-note ${why.code === 'cancelled-here' ? 'quiet' : 'bad'}`}>{endOf(why)}</p>}
      {state === 'offered' && (
        <div class="file-actions">
          <button type="button" class="button small" aria-label={over ? stopOf(name) : cancelOf(name)} onClick={() => files.cancel(key)}>
            {over ? 'Stop offering' : 'Cancel'}
          </button>
        </div>
      )}
    </>
  );
}

function Notes({ deliveries, over }: { deliveries: readonly Delivery[]; over: TransferWhy | undefined }) {
  if (!over && deliveries.length === 0) return <p class="file-note quiet">Nobody else is here. Whoever comes is asked.</p>;
  return (
    <>
      {standings(deliveries, over).map(({ key, text, tone }) => (
        <p key={key} class={`file-note ${tone}`}>
          {text}
        </p>
      ))}
    </>
  );
}
