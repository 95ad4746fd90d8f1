// Draws the match: one element for each dot and gem, moved by transforms.

import type { Match, Player } from './match';
import { FIELD, gemAt, GEMS, type Point } from './world';

const TINTS = 8;
const WAVE_MS = 900;

export const tintOf = (id: string): number => [...id].reduce((hash, char) => (hash * 31 + char.codePointAt(0)!) >>> 0, 0) % TINTS;

export class Arena {
  private readonly dots = new Map<string, HTMLElement>();
  private readonly gems: HTMLElement[];

  constructor(
    private readonly field: HTMLElement,
    private readonly match: Match,
  ) {
    this.gems = Array.from({ length: GEMS }, () => this.add('gem'));
  }

  private add(name: string): HTMLElement {
    const element = document.createElement('div');
    element.className = name;
    element.setAttribute('aria-hidden', 'true');
    this.field.append(element);
    return element;
  }

  /** Makes and removes dots, and names them. */
  players(): void {
    const { me, others } = this.match;
    for (const [id, dot] of this.dots) {
      if (id === me.id || others.has(id)) continue;
      dot.remove();
      this.dots.delete(id);
    }
    for (const player of [...others.values(), me]) this.name(player, player === me);
  }

  private name({ id, name }: Player, own: boolean): void {
    const dot = this.dots.get(id) ?? this.add(`dot tint-${tintOf(id)}`);
    this.dots.set(id, dot);
    dot.classList.toggle('own', own);
    dot.removeAttribute('aria-hidden');
    dot.role = 'img';
    dot.ariaLabel = own ? 'You' : name;
    dot.dataset['name'] = own ? 'You' : name;
  }

  paint(): void {
    const scale = this.field.clientWidth / FIELD;
    const place = (element: HTMLElement | undefined, { x, y }: Point): void => {
      if (element) element.style.transform = `translate(${(x * scale).toFixed(1)}px, ${(y * scale).toFixed(1)}px)`;
    };
    const { me, others, gems } = this.match;
    for (const player of [...others.values(), me]) place(this.dots.get(player.id), player.at);
    this.gems.forEach((gem, i) => place(gem, gemAt(i, gems.taken[i]!)));
  }

  /** Something that spreads and goes: a wave, or where a gem was. */
  spread(at: Point, name: string): void {
    const ring = this.add('ring');
    ring.classList.add(name);
    ring.style.left = `${at.x / (FIELD / 100)}%`;
    ring.style.top = `${at.y / (FIELD / 100)}%`;
    setTimeout(() => ring.remove(), WAVE_MS);
  }

  /** The point of the field under the pointer. */
  pointAt(event: PointerEvent): Point {
    const { left, top, width } = this.field.getBoundingClientRect();
    const scale = FIELD / width;
    return { x: (event.clientX - left) * scale, y: (event.clientY - top) * scale };
  }

  close(): void {
    this.field.replaceChildren();
  }
}
