// Who speaks now, from the levels in the packets. Pure; ms.

/** Someone who was heard is a speaker for this long after the last loud packet. */
const HOLD_MS = 700;
/** Loudness follows up at once and falls slowly, dB per second. */
const FALL = 30;
const MAX_MEMBERS = 4_096;
const FORGET_MS = 10_000;

interface Voice {
  loudness: number;
  at: number;
  heardAt: number;
}

export class Speakers {
  private voices = new Map<string, Voice>();
  private told = '';

  /** Takes the level of one packet: -dBov, 127 for silence. */
  note(member: string, level: number, voice: boolean, now: number): void {
    const before = this.voices.get(member);
    if (!before && (!voice || this.voices.size >= MAX_MEMBERS)) return;
    const loud = 127 - level;
    const fallen = before ? before.loudness - ((now - before.at) / 1000) * FALL : 0;
    const heardAt = voice ? now : (before?.heardAt ?? -Infinity);
    this.voices.set(member, { loudness: Math.max(loud, fallen), at: now, heardAt });
  }

  forget(member: string): void {
    this.voices.delete(member);
  }

  /** The speakers, loudest first, when the list is another than was last returned. */
  changed(now: number): string[] | undefined {
    for (const [id, v] of this.voices) if (now - v.heardAt > FORGET_MS) this.voices.delete(id);
    const speaking = [...this.voices].filter(([, v]) => now - v.heardAt <= HOLD_MS);
    // Steps of 6 dB, so that two voices of one loudness do not change places all the time.
    const step = (v: Voice): number => Math.round(v.loudness / 6);
    const list = speaking.sort(([a, x], [b, y]) => step(y) - step(x) || (a < b ? -1 : 1)).map(([id]) => id);
    const key = list.join('\n');
    if (key === this.told) return undefined;
    this.told = key;
    return list;
  }
}
