// What the rate controller remembers: messages under way, and the highest rate of late. Pure; times in µs.

/** The least size of a chunk that is worth a message, bytes. */
export const MIN_CHUNK = 1_200;

const SAME_MARK_US = 1_000;
const MAX_MARKS = 1_024;

interface Mark {
  readonly begin: number;
  end: number;
  readonly at: number;
}

/** Ends of the messages under way, oldest first. Small messages of one millisecond share a mark. */
export class Marks {
  private list: Mark[] = [];
  private head = 0;

  get empty(): boolean {
    return this.head === this.list.length;
  }

  /** When the oldest was sent; only where there is one. */
  get oldest(): number {
    return this.list[this.head]!.at;
  }

  push(begin: number, end: number, at: number): void {
    const last = this.empty ? undefined : this.list.at(-1);
    if (last && ((at - last.at < SAME_MARK_US && end - last.begin <= MIN_CHUNK) || this.list.length - this.head >= MAX_MARKS)) {
      last.end = end;
      return;
    }
    if (this.head > 16 && this.head * 2 > this.list.length) {
      this.list.splice(0, this.head);
      this.head = 0;
    }
    this.list.push({ begin, end, at });
  }

  /** Takes out the marks up to a position: when the newest of them was sent and where it ends, and how many they are. */
  pop(to: number): { at: number; end: number; count: number } {
    let at = 0;
    let end = 0;
    let count = 0;
    for (let mark = this.list[this.head]; mark && mark.end <= to; mark = this.list[++this.head]) {
      ({ at, end } = mark);
      count++;
    }
    if (this.empty) {
      this.list = [];
      this.head = 0;
    }
    return { at, end, count };
  }
}

const SLOTS = 8;
const SLOT_US = 250_000;

/** The highest rate of the last 2 s of a time that only passes while the sender is limited by the path. */
export class Highest {
  private readonly slots = new Array<number>(SLOTS).fill(0);
  private slot = 0;
  /** Into the current slot. */
  private in = 0;

  pass(us: number): void {
    this.in += Math.min(us, SLOT_US * SLOTS);
    while (this.in >= SLOT_US) {
      this.in -= SLOT_US;
      this.slot = (this.slot + 1) % SLOTS;
      this.slots[this.slot] = 0;
    }
  }

  add(rate: number): void {
    this.slots[this.slot] = Math.max(this.slots[this.slot]!, rate);
  }

  reset(rate: number): void {
    this.slots.fill(0);
    this.slots[this.slot] = rate;
  }

  get most(): number {
    return Math.max(...this.slots);
  }
}
