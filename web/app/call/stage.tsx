import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Call, CallState } from './call';
import { grid, stage, type Box, type Layout } from './layout';
import { TileView } from './tile';
import type { Tile } from './tiles';

/** The area of tiles. All lie in one container and keep their elements: a canvas that moved would go black. */
export function Stage({ call, state }: { call: Call; state: CallState }) {
  const area = useRef<HTMLDivElement>(null);
  const size = useSize(area);
  const { layout, boxes } = arrange(state.tiles, state.stage, size);
  return (
    <div ref={area} class="stage">
      {size.w > 0 && (
        <div class="stage-inner" style={{ height: `${layout.height}px` }}>
          {state.tiles.map((tile) => (
            <TileView key={tile.key} call={call} state={state} tile={tile} box={boxes.get(tile.key)!} />
          ))}
        </div>
      )}
    </div>
  );
}

interface Size {
  w: number;
  h: number;
}

/** Gives each tile its box. The tile on the stage gets the first. */
function arrange(tiles: readonly Tile[], staged: string | undefined, size: Size): { layout: Layout; boxes: Map<string, Box> } {
  const { width = 16, height = 9 } = tiles.find((tile) => tile.key === staged)?.video ?? {};
  const layout =
    staged === undefined ? grid(tiles.length, size.w, size.h) : stage(tiles.length, size.w, size.h, width / height);
  const order = [...tiles].sort((a, b) => Number(b.key === staged) - Number(a.key === staged));
  return { layout, boxes: new Map(order.map((tile, index) => [tile.key, layout.boxes[index]!])) };
}

function useSize(element: { current: HTMLElement | null }): Size {
  const [size, setSize] = useState<Size>({ w: 0, h: 0 });
  useLayoutEffect(() => {
    if (!element.current) return;
    const read = (width: number, height: number) => setSize({ w: Math.floor(width), h: Math.floor(height) });
    const observer = new ResizeObserver(([entry]) => entry && read(entry.contentRect.width, entry.contentRect.height));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return size;
}
