import type { Obstacle } from '../support';
import { Warning } from '../ui/icons';

/** Says why a call cannot work on this page, and the way out. */
export function ObstacleNote({ obstacle }: { obstacle: Obstacle }) {
  return obstacle.kind === 'insecure' ? <Insecure /> : <Unsupported missing={obstacle.missing} />;
}

function Insecure() {
  const secure = `https://${location.host}${location.pathname}`;
  return (
    <div class="notice tall" role="alert">
      <Warning />
      <div>
        <strong>This page needs HTTPS</strong>
        <p>
          It came over plain HTTP. Browsers then keep the camera, the microphone and the parts that play sound and pictures
          away from a page. Only the server’s own machine (localhost) is exempt.
        </p>
        <p>
          Running the server yourself? Start it with <code>landline serve --tls self</code> and accept its certificate once.
        </p>
        <a class="button" href={secure}>
          Try over HTTPS
        </a>
      </div>
    </div>
  );
}

function Unsupported({ missing }: { missing: string[] }) {
  return (
    <div class="notice tall" role="alert">
      <Warning />
      <div>
        <strong>This browser cannot take part</strong>
        <p>
          It lacks {missing.join(', ')}. A current Chrome, Edge, Firefox or Safari has everything that a call needs.
        </p>
      </div>
    </div>
  );
}
