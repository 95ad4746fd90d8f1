// What a close means (docs/protocol.md section 12): come back or not, and when.

export type Verdict = 'over' | 'at-once' | 'later' | 'retry';

/** Codes of RFC 6455 section 7.4.1 that say this side is at fault. */
const OWN_FAULT = new Set([1002, 1003, 1007, 1008, 1009]);

export function judge(code: number): Verdict {
  if (code === 1000 || OWN_FAULT.has(code)) return 'over';
  if (code >= 4000 && code <= 4099) return 'at-once';
  if (code >= 4100 && code <= 4199) return 'later';
  if (code >= 4400 && code <= 4499) return 'over';
  return 'retry';
}

/** Splits a close reason "code: text". A close without one gets a code of its own. */
export function explain(code: number, reason: string): { code: string; text: string } {
  const [, word, text] = /^([a-z][a-z-]{0,39})(?:: (.*))?$/s.exec(reason) ?? [];
  if (word) return { code: word, text: text ?? '' };
  return { code: code === 1000 ? 'closed' : `close-${code}`, text: reason };
}

const LATER_MS = 5_000;
const STEPS_MS = [0, 500, 1_000, 2_000];

/** The wait before the next attempt: at once the first time, then random up to 0.5, 1, 2, 2 … s. */
export function waitBefore(attempt: number, verdict: Verdict, random: () => number): number {
  const most = STEPS_MS[Math.min(attempt, STEPS_MS.length - 1)]!;
  const jitter = random() * most;
  return verdict === 'later' ? LATER_MS + random() * 2_000 : jitter;
}
