// Tokens as docs/protocol.md section 15 has them, also such as no honest tool would mint.

import { createHmac } from 'node:crypto';

export interface Key {
  id: string;
  secret: string;
}

export interface Claims {
  room: string;
  sub: string;
  name?: string;
  grants?: string[];
  /** Seconds from now; negative for a token that has expired. */
  ttl?: number;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export function mint(key: Key, { room, sub, name, grants = ['publish', 'subscribe', 'data'], ttl = 600 }: Claims): string {
  const now = Math.floor(Date.now() / 1000);
  const body = `${part({ alg: 'HS256', typ: 'JWT', kid: key.id })}.${part({ room, sub, name, grants, exp: now + ttl })}`;
  return `${body}.${createHmac('sha256', key.secret).update(body).digest('base64url')}`;
}

export const adminToken = (key: Key): string => mint(key, { room: '*', sub: 'harness', grants: ['admin'] });
