// Where the tiles go. Pure: sizes in CSS pixels in, boxes out.

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Layout {
  boxes: Box[];
  /** Height of everything; more than was given when the tiles must scroll. */
  height: number;
}

/** A tile is never wider than this for its height, nor narrower. */
const wide = 16 / 9;
const narrow = 1.2;

/** Under this width faces cannot be told apart; the grid scrolls instead. */
const least = 150;

const gap = 10;

interface Cut {
  columns: number;
  w: number;
  h: number;
}

/** The largest tile with this many columns. */
function cut(count: number, columns: number, width: number, height: number): Cut {
  const rows = Math.ceil(count / columns);
  const cellWidth = (width - gap * (columns - 1)) / columns;
  const cellHeight = (height - gap * (rows - 1)) / rows;
  const w = Math.max(0, Math.min(cellWidth, cellHeight * wide));
  return { columns, w, h: Math.max(0, Math.min(cellHeight, w / narrow)) };
}

/** All tiles of one size, as large as they can be, in rows of which the last is centred. */
export function grid(count: number, width: number, height: number): Layout {
  if (count === 0) return { boxes: [], height };
  let best = cut(count, 1, width, height);
  for (let columns = 2; columns <= count; columns++) {
    const next = cut(count, columns, width, height);
    // Of two that are about as large, the one with more columns: it looks like a grid, not like a list.
    if (next.w * next.h > best.w * best.h * 0.95) best = next;
  }
  if (best.w < Math.min(least, width)) best = scrolling(count, width);
  return place(count, best, width, height);
}

/** Tiles of at least the least width, in as many rows as it takes. */
function scrolling(count: number, width: number): Cut {
  const columns = Math.max(1, Math.min(count, Math.floor((width + gap) / (least + gap))));
  const w = (width - gap * (columns - 1)) / columns;
  return { columns, w, h: w / wide };
}

function place(count: number, { columns, w, h }: Cut, width: number, height: number): Layout {
  const rows = Math.ceil(count / columns);
  const used = rows * h + (rows - 1) * gap;
  const top = Math.max(0, (height - used) / 2);
  const boxes: Box[] = [];
  for (let i = 0; i < count; i++) {
    const row = Math.floor(i / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = (width - inRow * w - (inRow - 1) * gap) / 2;
    boxes.push({ x: left + (i % columns) * (w + gap), y: top + row * (h + gap), w, h });
  }
  return { boxes, height: Math.max(height, used) };
}

/**
 * One tile large, the others in a strip: beside it where there is room, else below. The first box is the large one;
 * ratio is width by height of its picture.
 */
export function stage(count: number, width: number, height: number, ratio = wide): Layout {
  const others = count - 1;
  if (others <= 0) return { boxes: [{ x: 0, y: 0, w: width, h: height }], height };
  return width >= 480 && width > height ? beside(others, width, height) : below(others, width, height, ratio);
}

function beside(others: number, width: number, height: number): Layout {
  const w = Math.round(Math.min(260, Math.max(130, width * 0.17)));
  const h = w / wide;
  const used = others * h + (others - 1) * gap;
  const top = Math.max(0, (height - used) / 2);
  const boxes: Box[] = [{ x: 0, y: 0, w: width - w - gap, h: height }];
  for (let i = 0; i < others; i++) boxes.push({ x: width - w, y: top + i * (h + gap), w, h });
  return { boxes, height: Math.max(height, used) };
}

function below(others: number, width: number, height: number, ratio: number): Layout {
  const large = { x: 0, y: 0, w: width, h: Math.min(height * 0.62, width / ratio) };
  const rest = grid(others, width, Math.max(0, height - large.h - gap));
  const boxes = rest.boxes.map((box) => ({ ...box, y: box.y + large.h + gap }));
  return { boxes: [large, ...boxes], height: Math.max(height, large.h + gap + rest.height) };
}
