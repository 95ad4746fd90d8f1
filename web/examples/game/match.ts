// One player's part in the game, over four topics. Where everybody is and what they have: the newest of each, owned, so
// that who leaves is gone. Who took which gem: in order, so that all agree. Waves: lossy, since a late one is no wave.

import type { Room, Topic, TopicBatch } from '../../sdk';
import { DOT, FIELD, gemAt, Gems, GEMS, pointOf, touches, towards, type Point } from './world';

/** What is left of a dot's distance to where it was told to be, after so many seconds. */
const EASE_S = 0.06;

export interface Player {
  id: string;
  name: string;
  score: number;
  /** Where it is drawn, and where it was told to be. */
  at: Point;
  goal: Point;
}

export interface MatchEvents {
  /** Players, names or scores are others than before. */
  players(): void;
  wave(at: Point): void;
  /** A gem was taken here. */
  taken(at: Point, own: boolean): void;
}

export class Match {
  readonly others = new Map<string, Player>();
  readonly gems = new Gems();
  readonly me: Player;
  /** Where the own dot goes, if anywhere. */
  target: Point | undefined;
  private readonly places: Topic;
  private readonly names: Topic;
  private readonly claims: Topic;
  private readonly waves: Topic;
  /** What was claimed and not heard back, as "place taken". */
  private readonly claimed = new Set<string>();
  private readonly off: () => void;

  constructor(
    private readonly room: Room,
    private readonly events: MatchEvents,
  ) {
    const at = { x: DOT + Math.random() * (FIELD - 2 * DOT), y: DOT + Math.random() * (FIELD - 2 * DOT) };
    this.me = { id: room.self.id, name: room.self.name, score: 0, at, goal: at };
    this.places = room.topic('places', 'latest');
    this.names = room.topic('players', 'latest');
    this.claims = room.topic('gems', 'ordered');
    this.waves = room.topic('waves', 'lossy');
    this.places.on('values', () => this.readPlaces());
    this.names.on('values', () => this.readPlaces());
    this.claims.on('values', (batch) => this.readClaims(batch));
    this.waves.on('values', ({ values }) => values.forEach(({ value }) => this.heardWave(value)));
    // What was owned is gone where the relay has begun anew, or this member was away for too long.
    this.off = room.on('state', (state) => state === 'online' && this.tellAll());
    this.tellAll();
  }

  private tellAll(): void {
    this.me.id = this.room.self.id;
    this.tellPlace();
    this.tellScore();
  }

  private tellPlace(): void {
    const { x, y } = this.me.at;
    this.places.put(this.me.id, [Math.round(x), Math.round(y)], { owned: true });
  }

  private tellScore(): void {
    this.names.put(this.me.id, { name: this.me.name, score: this.me.score }, { owned: true });
    this.events.players();
  }

  private readPlaces(): void {
    let changed = false;
    for (const id of this.others.keys()) if (!this.places.values.has(id)) changed = this.others.delete(id);
    for (const [id, { value }] of this.places.values) {
      const goal = pointOf(value);
      if (!goal || id === this.me.id) continue;
      const { name, score } = cardOf(this.names.values.get(id)?.value);
      const known = this.others.get(id);
      changed ||= known?.name !== name || known.score !== score;
      this.others.set(id, { id, name, score, goal, at: known?.at ?? goal });
    }
    if (changed) this.events.players();
  }

  private readClaims({ values, anew }: TopicBatch): void {
    if (anew) this.gems.reset();
    if (anew) this.claimed.clear();
    for (const { key, value, by } of values) {
      const lay = gemAt(Number(key), (value as number) - 1);
      if (!this.gems.claim(key, value)) continue;
      const own = this.claimed.delete(`${key} ${value as number}`) && by === this.me.id;
      if (own) this.me.score++;
      if (own) this.tellScore();
      if (!anew) this.events.taken(lay, own);
    }
  }

  private heardWave(value: unknown): void {
    const at = pointOf(value);
    if (at) this.events.wave(at);
  }

  /** Lets time pass: the own dot goes where it is steered, the others to where they were told to be. */
  step(seconds: number): void {
    const from = this.me.at;
    if (this.target) this.me.at = towards(from, this.target, seconds);
    if (this.me.at !== from) this.tellPlace();
    const left = Math.exp(-seconds / EASE_S);
    for (const other of this.others.values()) {
      const { at, goal } = other;
      other.at = { x: goal.x + (at.x - goal.x) * left, y: goal.y + (at.y - goal.y) * left };
    }
    for (let place = 0; place < GEMS; place++) this.reach(place);
  }

  /** Claims a gem that the own dot touches; the point is ours when the relay tells that we were first. */
  private reach(place: number): void {
    const taken = this.gems.taken[place]!;
    const claim = `${place} ${taken + 1}`;
    if (this.claimed.has(claim) || !touches(this.me.at, gemAt(place, taken))) return;
    this.claimed.add(claim);
    this.claims.put(String(place), taken + 1);
  }

  wave(): void {
    const { x, y } = this.me.at;
    this.waves.put(this.me.id, [Math.round(x), Math.round(y)]);
  }

  close(): void {
    this.off();
    for (const topic of [this.places, this.names, this.claims, this.waves]) topic.close();
  }
}

/** A player's name and score from the wire, whatever came. */
function cardOf(value: unknown): { name: string; score: number } {
  const { name, score } = (typeof value === 'object' && value !== null ? value : {}) as { name?: unknown; score?: unknown };
  return {
    name: typeof name === 'string' && name ? name.slice(0, 32) : 'Guest',
    score: typeof score === 'number' && Number.isSafeInteger(score) ? Math.max(0, score) : 0,
  };
}
