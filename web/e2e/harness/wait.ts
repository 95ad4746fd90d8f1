// Waiting for effects: always by looking, with a deadline.

import { setTimeout as pause } from 'node:timers/promises';

export interface Patience {
  ms?: number;
  every?: number;
}

/** Looks until what is read is truthy, and returns it. A read that throws counts as "not yet". */
export async function until<T>(what: string, read: () => T | Promise<T>, { ms = 10_000, every = 50 }: Patience = {}): Promise<NonNullable<T>> {
  const deadline = performance.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const value = await read();
      if (value) return value as NonNullable<T>;
      last = value;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what} (last seen: ${JSON.stringify(last)})`);
    await pause(every);
  }
}

/** Lets time pass because it is what is measured or injected: a window, an outage. Never to wait for an effect. */
export async function elapse(ms: number): Promise<void> {
  await pause(ms);
}
