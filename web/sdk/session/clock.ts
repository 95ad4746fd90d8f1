// The two local time sources of the worker, and the names they go by.

/** Monotonic µs of this worker: the member's clock for all its tracks, and the clock of its acks. */
export function nowUs(): number {
  return Math.round(performance.now() * 1000);
}

/**
 * Wall clock, µs since 1970. Read from Date, since performance.timeOrigin + now() falls behind when
 * the machine sleeps.
 */
export function wallUs(): number {
  return Date.now() * 1000;
}
