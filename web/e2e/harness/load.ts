// How busy the machine is: figures of a machine that has nothing left tell nothing about the product.

import { cpus } from 'node:os';

/** Begins to look; the function returned tells the share of all processors that was idle since, 0 to 1. */
export function watchIdle(): () => number {
  const times = () => {
    const all = cpus().map(({ times }) => times);
    const idle = all.reduce((sum, t) => sum + t.idle, 0);
    return { idle, total: all.reduce((sum, t) => sum + t.user + t.nice + t.sys + t.irq + t.idle, 0) };
  };
  const start = times();
  return () => {
    const end = times();
    return (end.idle - start.idle) / Math.max(1, end.total - start.total);
  };
}
