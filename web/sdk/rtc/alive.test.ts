import { expect, test } from 'vitest';
import vectors from '../../../testdata/alive.json';
import { Alive } from './alive';

type Step = { ms: number; own?: number; peer?: number; lost?: boolean };

test.each(vectors.cases)('$name', ({ steps }) => {
  const alive = new Alive();
  for (const { ms, own, peer, lost } of steps as Step[]) {
    if (peer !== undefined) alive.states(peer);
    else expect(alive.lost(own!, ms), `at ${ms} ms`).toBe(lost);
  }
});
