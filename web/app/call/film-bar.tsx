import { labels } from '../labels';
import { useStore } from '../store';
import { Close, Pause, Play, Sound, SoundOff } from '../ui/icons';
import { shortName } from './file-words';
import type { Film } from './film';
import { useFollowed } from './film-follow';
import { positionText, timeText } from './playback-words';

/** What browsers play and what they take for it, and Matroska, which some systems know by its ending alone. */
const TAKEN = 'video/*,audio/*,.mkv';

/** Has the person choose a file, and streams it. The menu from which that is done may be gone by then: the input is the page's own. */
export function pickFilm(film: Film): void {
  const input = Object.assign(document.createElement('input'), { type: 'file', accept: TAKEN, hidden: true });
  const done = (): void => {
    input.remove();
    const file = input.files?.[0];
    if (file) void film.play(file);
  };
  input.addEventListener('change', done);
  input.addEventListener('cancel', done);
  document.body.append(input);
  input.click();
}

/** The file that this page streams: where it is, and what is done with it. */
export function FilmBar({ film }: { film: Film }) {
  const { on } = useStore(film.store);
  if (!on) return null;
  const { name, stream, picture, heard } = on;
  const { state, position, duration } = stream;
  const paused = state === 'paused';
  const [pause, hear] = [paused ? labels.filmGoOn : labels.filmPause, heard ? labels.filmHush : labels.filmHear];
  return (
    <section class="playback" aria-label={labels.film}>
      <p class="playback-name" title={name}>
        {shortName(name)}
      </p>
      <button type="button" class="icon-button" aria-label={pause} title={pause} onClick={() => film.toggle()}>
        {paused ? <Play /> : <Pause />}
      </button>
      <progress aria-label={labels.position} aria-valuetext={positionText(position, duration)} max={Math.max(duration, 1)} value={duration ? position : undefined} />
      <span class="playback-time quiet">{duration ? positionText(position, duration) : timeText(position)}</span>
      <button type="button" class={heard ? 'icon-button on' : 'icon-button'} aria-label={hear} title={hear} onClick={() => film.hear(!heard)}>
        {heard ? <Sound /> : <SoundOff />}
      </button>
      <button type="button" class="icon-button" aria-label={labels.filmStop} title={labels.filmStop} onClick={() => film.stop()}>
        <Close />
      </button>
      {!picture && <OwnSound film={film} />}
    </section>
  );
}

/** Of a file without a picture there is no tile. */
function OwnSound({ film }: { film: Film }) {
  const { element } = useFollowed<HTMLAudioElement>(film);
  return <audio ref={element} hidden />;
}
