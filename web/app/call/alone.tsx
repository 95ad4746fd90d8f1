import { labels } from '../labels';
import { Link } from '../ui/icons';
import type { Visit } from '../visit';

/** Beside one's own picture while nobody else is here. */
export function Alone({ visit, room }: { visit: Visit; room: string }) {
  const command = `landline stream clip.webm --room ${room}`;
  return (
    <section class="alone" aria-labelledby="alone-title">
      <h2 id="alone-title">You are the first one here</h2>
      <p>Send this link to the people you want to talk to.</p>
      <p class="share-link">{visit.link().replace(/^https?:\/\//, '')}</p>
      <button type="button" class="button primary" onClick={() => void visit.copyLink()}>
        <Link /> {labels.copyLink}
      </button>
      <details>
        <summary>Play a recording into the room</summary>
        <p>From a terminal, with a file of yours:</p>
        <pre class="command">
          <code>{command}</code>
        </pre>
        <button type="button" class="button small" onClick={() => void visit.copy(command, 'Command copied')}>
          {labels.copyCommand}
        </button>
      </details>
    </section>
  );
}
