// Steers the own dot by pointer, finger or keys.

import type { Arena } from './arena';
import type { Match } from './match';
import { FIELD } from './world';

const KEYS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  KeyA: [-1, 0], KeyD: [1, 0], KeyW: [0, -1], KeyS: [0, 1],
};

export class Steering {
  private readonly held = new Set<string>();
  private readonly ended = new AbortController();

  constructor(
    field: HTMLElement,
    private readonly arena: Arena,
    private readonly match: Match,
  ) {
    const { signal } = this.ended;
    field.addEventListener('pointermove', (event) => this.point(event), { signal });
    field.addEventListener('pointerdown', (event) => this.press(event), { signal });
    field.addEventListener('keydown', (event) => this.key(event, true), { signal });
    field.addEventListener('keyup', (event) => this.key(event, false), { signal });
    field.addEventListener('blur', () => this.release(), { signal });
  }

  private point(event: PointerEvent): void {
    if (this.held.size === 0) this.match.target = this.arena.pointAt(event);
  }

  private press(event: PointerEvent): void {
    this.point(event);
    this.match.wave();
  }

  private key(event: KeyboardEvent, down: boolean): void {
    if (event.code === 'Space' && down && !event.repeat) this.match.wave();
    if (event.code === 'Space') return event.preventDefault();
    if (!KEYS[event.code] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (down) this.held.add(event.code);
    else this.held.delete(event.code);
    if (this.held.size === 0) this.match.target = undefined;
  }

  private release(): void {
    if (this.held.size > 0) this.match.target = undefined;
    this.held.clear();
  }

  /** Keys point further than a step reaches; to be asked before each step. */
  step(): void {
    if (this.held.size === 0) return;
    const { x, y } = this.match.me.at;
    const sum = (axis: 0 | 1): number => [...this.held].reduce((total, code) => total + KEYS[code]![axis], 0);
    this.match.target = { x: x + sum(0) * FIELD, y: y + sum(1) * FIELD };
  }

  close(): void {
    this.ended.abort();
  }
}
