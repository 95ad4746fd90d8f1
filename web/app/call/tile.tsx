import { useEffect, useRef } from 'preact/hooks';
import { filmOf, fullScreen, labels, pin, screenOf, states, videoOf } from '../labels';
import { LocalVideo } from '../media/video';
import { initials, tint } from '../names';
import { Expand, Film as FilmIcon, MicOff, Pin } from '../ui/icons';
import type { Call, CallState } from './call';
import type { Film } from './film';
import { useFollowed } from './film-follow';
import type { Box } from './layout';
import { smallWords } from './health';
import { RemotePicture } from './picture';
import { fills, isShared, playsSound, sounding, type Tile } from './tiles';

interface Props {
  call: Call;
  state: CallState;
  tile: Tile;
  box: Box;
}

/** One member, or one more picture of a member. */
export function TileView({ call, state, tile, box }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const { member, label } = tile;
  const large = state.stage === tile.key;
  const pinned = state.pinned === tile.key;
  const speaking = tile.main && state.speakers.includes(member.id);
  const onClick = useSingleClick(() => call.pin(pinned ? undefined : tile.key));
  const enlarge = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else element.current?.requestFullscreen().catch(() => undefined);
  };
  const classes = ['tile', large && 'large', speaking && 'speaking', box.w < 220 && 'small', isShared(tile) && 'screen'];
  return (
    <div ref={element} class={classes.filter(Boolean).join(' ')} role="group" aria-label={label} style={placeOf(box, large)}>
      <Content call={call} state={state} tile={tile} box={box} />
      <Note state={state} tile={tile} />
      <Caption tile={tile} speaking={speaking} />
      {member.state === 'reconnecting' && !tile.self && (
        <p class="tile-veil">
          <span class="spinner" />
          <span class="state-word">{states.reconnecting}</span>
        </p>
      )}
      <button
        type="button"
        class="tile-pin"
        aria-label={pin(label, pinned)}
        aria-pressed={pinned}
        onClick={onClick}
        onDblClick={enlarge}
      />
      <div class="tile-tools">
        {pinned && (
          <span class="tile-pinned">
            <Pin />
          </span>
        )}
        <button type="button" class="icon-button small" aria-label={fullScreen(label)} title="Full screen" onClick={enlarge}>
          <Expand />
        </button>
      </div>
    </div>
  );
}

/** How long a second click may take to make a double click, ms. */
const doubleClick = 220;

/** A click by mouse counts once no second one follows: the tile must not move away under a double click. Keys count at once. */
function useSingleClick(action: () => void): (event: MouseEvent) => void {
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  return ({ detail }) => {
    clearTimeout(timer.current);
    if (detail === 0) action();
    else if (detail === 1) timer.current = setTimeout(action, doubleClick);
  };
}

/** The large tile stays put while the strip scrolls beside it; the others lie where the layout says. */
function placeOf(box: Box, large: boolean) {
  const size = { width: `${box.w}px`, height: `${box.h}px` };
  return large ? { ...size, left: '0px', top: '0px' } : { ...size, left: `${box.x}px`, top: `${box.y}px` };
}

function Content({ call, state, tile, box }: Props) {
  const { member, video, label } = tile;
  const large = state.stage === tile.key;
  const live = video && !video.muted;
  if (tile.self && tile.film) return <OwnFilm film={call.film} />;
  if (tile.self) return <OwnContent call={call} tile={tile} whole={tile.screen} />;
  const arrived = video !== undefined && state.pictures.has(`${member.id}/${video.id}`);
  return (
    <>
      {(!live || !arrived) && <Avatar tile={tile} waiting={live === true} />}
      {video && (
        <div class={live ? 'tile-picture' : 'tile-picture gone'}>
          <RemotePicture
            key={call.pictureOf(tile)}
            room={call.room}
            member={member.id}
            track={video}
            label={tile.screen ? screenOf(member.name) : tile.film ? filmOf(member.name) : videoOf(tile.main ? member.name : label)}
            large={large}
            whole={!fills(video, box.w, box.h, large)}
          />
        </div>
      )}
    </>
  );
}

function OwnContent({ call, tile, whole }: { call: Call; tile: Tile; whole: boolean }) {
  const { camera, screen } = call.media.store.get();
  const track = tile.screen ? screen : camera.track;
  if (!tile.video || !track) return <Avatar tile={tile} waiting={false} />;
  return (
    <div class={whole ? 'tile-picture whole' : 'tile-picture'}>
      <LocalVideo track={track} label={tile.screen ? labels.yourScreen : 'Your video'} mirrored={!tile.screen} />
    </div>
  );
}

/** The file itself, where it is: what is made of it for the others does not come back here. */
function OwnFilm({ film }: { film: Film }) {
  const { element, failed } = useFollowed<HTMLVideoElement>(film);
  return (
    <div class="tile-picture whole">
      <video ref={element} playsInline aria-label={labels.yourFilm} class="picture" hidden={failed} />
      {failed && <p class="avatar-ground">The others see it. This browser cannot show it here.</p>}
    </div>
  );
}

function Avatar({ tile, waiting }: { tile: Tile; waiting: boolean }) {
  const { member } = tile;
  return (
    <div class="avatar-ground">
      {tile.main && (
        <span class={`avatar tint-${tint(member.id, 6)}`} aria-hidden="true">
          {initials(member.name)}
        </span>
      )}
      {waiting ? <span class="waiting">{states.waiting}</span> : <span class="sr">{states.cameraOff}</span>}
    </div>
  );
}

/** Why the picture is smaller than it could be, if it is. */
function Note({ state, tile: { member, video, self } }: { state: CallState; tile: Tile }) {
  const track = !self && state.stats?.tracks.find((t) => t.member === member.id && t.track === video?.id);
  const words = track && !track.hidden ? smallWords(track, member.name) : undefined;
  return <div role="status">{words && <p class="tile-note">{words}</p>}</div>;
}

function Caption({ tile, speaking }: { tile: Tile; speaking: boolean }) {
  const sound = tile.main ? sounding(tile.member) : 'on';
  return (
    <div class="caption">
      {sound !== 'on' && (
        <span class="caption-mic">
          <MicOff />
          <span class="sr">{sound === 'muted' ? states.muted : states.noSound}</span>
        </span>
      )}
      {tile.main && playsSound(tile.member) && (
        <span class="caption-mic">
          <FilmIcon />
          <span class="sr">{states.streaming}</span>
        </span>
      )}
      <span class="caption-name" aria-hidden="true">
        {tile.label}
      </span>
      {speaking && <span class="sr">{states.speaking}</span>}
    </div>
  );
}
