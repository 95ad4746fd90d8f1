import { expect, test } from 'vitest';
import vectors from '../../../testdata/rtpclock.json';
import { RtpClock } from './clock';

test.each(vectors.cases)('$name', ({ kind, us, rtp, steps }) => {
  const clock = new RtpClock(kind === 'audio' ? 'audio' : 'video', us, rtp);
  for (const step of steps) expect(clock.micros(step.rtp)).toBe(step.us);
});
