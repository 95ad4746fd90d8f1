// Which canvas shows which track. A canvas that was handed over stays here, since its control can be
// handed over only once; tracks may come and go under it.

const MAX_SURFACES = 1_024;

export class Surfaces {
  private canvases = new Map<number, OffscreenCanvas>();
  private shows = new Map<string, Set<number>>();

  add(surface: number, canvas: OffscreenCanvas): void {
    if (this.canvases.size < MAX_SURFACES) this.canvases.set(surface, canvas);
  }

  drop(surface: number): void {
    this.canvases.delete(surface);
    for (const [key, set] of this.shows) if (set.delete(surface) && set.size === 0) this.shows.delete(key);
  }

  show(key: string, surface: number): OffscreenCanvas | undefined {
    const set = this.shows.get(key) ?? new Set();
    this.shows.set(key, set.add(surface));
    return this.canvases.get(surface);
  }

  hide(key: string, surface: number): OffscreenCanvas | undefined {
    const set = this.shows.get(key);
    set?.delete(surface);
    if (set?.size === 0) this.shows.delete(key);
    return this.canvases.get(surface);
  }

  /** The canvases that show a track. */
  of(key: string): OffscreenCanvas[] {
    return [...(this.shows.get(key) ?? [])].flatMap((surface) => this.canvases.get(surface) ?? []);
  }
}
