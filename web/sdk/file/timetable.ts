// When what was read of a file is due, by the member's clock. Pure; times in µs. All tracks of a file have one timetable, so that
// sound and picture keep together whatever holds one of them up.

/** A piece of a track: one frame, one packet, or some decoded sound. */
export interface Timed {
  /** On the line of time that the stream has played, from 0: with each round of a loop it goes on. */
  us: number;
  duration: number;
}

/** So much of each track is read ahead, and no more. */
const AHEAD_US = 1_000_000;
/** What is later than this has the rest come as much later: a machine that stood still shall not send a burst. */
const LATE_US = 500_000;

export class Timetable<T extends Timed> {
  /** The end of what was put so far. */
  ends = 0;
  private readonly queues: T[][];
  /** The member's time of 0. */
  private zero: number | undefined;
  private pausedAt: number | undefined;
  /** Where the rounds begin that are under way or read ahead. */
  private rounds: number[] = [0];

  /** most: for each track, how many pieces may wait. */
  constructor(private readonly most: readonly number[]) {
    this.queues = most.map(() => []);
  }

  put(track: number, piece: T): void {
    this.queues[track]!.push(piece);
    this.ends = Math.max(this.ends, piece.us + piece.duration);
  }

  /** Whether more of a track is to be read. */
  wants(track: number): boolean {
    const queue = this.queues[track]!;
    const [first, last] = [queue[0], queue.at(-1)];
    if (!first || !last) return true;
    return queue.length < this.most[track]! && last.us + last.duration - first.us < AHEAD_US;
  }

  /** A round of a loop begins behind all that was put. */
  round(): void {
    if (this.ends > this.rounds.at(-1)!) this.rounds.push(this.ends);
  }

  /** What was put first is due now. */
  begin(now: number): void {
    this.zero ??= now - (this.queues[this.next()]?.[0]?.us ?? 0);
  }

  get paused(): boolean {
    return this.pausedAt !== undefined;
  }

  pause(now: number): void {
    this.pausedAt ??= now;
  }

  resume(now: number): void {
    if (this.pausedAt !== undefined && this.zero !== undefined) this.zero += now - this.pausedAt;
    this.pausedAt = undefined;
  }

  /** The member's time of a piece. */
  due(us: number): number {
    return us + (this.zero ?? 0);
  }

  /** Where on the line of time the member's clock is now, also while all stands still. */
  at(now: number): number {
    return now - (this.zero ?? 0);
  }

  /** Takes out what is due, the earliest of all tracks first; undefined: nothing is. */
  take(now: number): { track: number; piece: T } | undefined {
    if (this.zero === undefined || this.paused) return undefined;
    const track = this.next();
    const piece = this.queues[track]?.[0];
    if (!piece || this.due(piece.us) > now) return undefined;
    if (now - this.due(piece.us) > LATE_US) this.zero = now - piece.us;
    this.queues[track]!.shift();
    return { track, piece };
  }

  /** µs until something is due; undefined: nothing waits, or it stands still. */
  wait(now: number): number | undefined {
    const piece = this.queues[this.next()]?.[0];
    if (!piece || this.zero === undefined || this.paused) return undefined;
    return Math.max(0, this.due(piece.us) - now);
  }

  /** Whether all that was put was taken, and has lasted as long as it does. */
  over(now: number): boolean {
    return this.next() < 0 && !this.paused && this.due(this.ends) <= now;
  }

  /** Where it is, in the round that is under way. */
  position(now: number): number {
    if (this.zero === undefined) return 0;
    const at = Math.min((this.pausedAt ?? now) - this.zero, this.ends);
    while (this.rounds.length > 1 && this.rounds[1]! <= at) this.rounds.shift();
    return Math.max(0, at - this.rounds[0]!);
  }

  /** Takes out all that waits. */
  empty(): T[] {
    return this.queues.flatMap((queue) => queue.splice(0));
  }

  /** The track whose first piece is the earliest, of equal ones the first; -1: nothing waits. */
  private next(): number {
    let best = -1;
    this.queues.forEach(([piece], i) => {
      if (piece && (best < 0 || piece.us < this.queues[best]![0]!.us)) best = i;
    });
    return best;
  }
}
