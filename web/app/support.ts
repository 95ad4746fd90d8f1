import { supported } from '../sdk';

/** Why this page cannot take part in a call at all. */
export interface Obstacle {
  kind: 'insecure' | 'unsupported';
  /** What the browser lacks, in words. */
  missing: string[];
}

/** Plain HTTP comes first: on it, browsers hide the very parts whose absence looks like an old browser. */
export function obstacle(secure = window.isSecureContext, missing = supported()): Obstacle | undefined {
  if (!secure) return { kind: 'insecure', missing };
  return missing.length > 0 ? { kind: 'unsupported', missing } : undefined;
}
