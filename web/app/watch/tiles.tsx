// Who is to be seen and heard in a recording now.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { RecordedPicture } from '../../sdk/recording';
import { grid, type Box } from '../call/layout';
import { videoOf } from '../labels';
import { initials, tint } from '../names';
import type { Watching, WatchState } from './watch';
import { brokenWords, heardOnly, pictureName } from './words';

const TINTS = 6;

export function Tiles({ watching, state }: { watching: Watching; state: WatchState }) {
  const area = useRef<HTMLDivElement>(null);
  const { w, h } = useSize(area);
  const { pictures } = state;
  const voices = heardOnly(pictures, state.voices);
  const { boxes } = grid(pictures.length + voices.length, w, h);
  return (
    <div ref={area} class="watch-tiles">
      {pictures.map((picture, i) => (
        <Picture key={picture.key} watching={watching} picture={picture} box={fitted(boxes[i]!, picture)} />
      ))}
      {voices.map(({ key, name }, i) => (
        <div key={key} class="tile" role="group" aria-label={name} style={placeOf(boxes[pictures.length + i]!)}>
          <div class="avatar-ground">
            <span class={`avatar tint-${tint(name, TINTS)}`}>{initials(name)}</span>
          </div>
          <Caption name={name} />
        </div>
      ))}
    </div>
  );
}

function Picture({ watching, picture, box }: { watching: Watching; picture: RecordedPicture; box: Box }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { key, broken, codec } = picture;
  const name = pictureName(picture);
  useLayoutEffect(() => watching.player?.show(key, canvas.current!), [watching, key]);
  return (
    <div class="tile screen" role="group" aria-label={name} style={placeOf(box)}>
      <canvas ref={canvas} class="picture whole" role="img" aria-label={videoOf(name)} />
      {broken && (
        <p class="tile-veil" role="alert">
          {brokenWords(codec)}
        </p>
      )}
      <Caption name={name} />
    </div>
  );
}

function Caption({ name }: { name: string }) {
  if (!name) return null;
  return (
    <p class="caption">
      <span class="caption-name">{name}</span>
    </p>
  );
}

/** As much of a box as a picture fills that is shown whole. */
function fitted({ x, y, w, h }: Box, { width, height }: RecordedPicture): Box {
  const ratio = width > 0 && height > 0 ? width / height : 16 / 9;
  const [fw, fh] = [Math.min(w, h * ratio), Math.min(h, w / ratio)];
  return { x: x + (w - fw) / 2, y: y + (h - fh) / 2, w: fw, h: fh };
}

const placeOf = ({ x, y, w, h }: Box) => ({ left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });

function useSize(element: { current: HTMLElement | null }): { w: number; h: number } {
  const [size, setSize] = useState({ w: 0, h: 0 });
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setSize({ w: Math.floor(entry.contentRect.width), h: Math.floor(entry.contentRect.height) }));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return size;
}
