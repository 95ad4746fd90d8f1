// Room names from what people type.

import { ROOM_NAME } from './wire/messages';

const MAX = 64;

/** Turns text into a valid room name, '' when nothing of it can be used: 'Küche & Bad' becomes 'Kuche-Bad'. */
export function roomName(text: string): string {
  const name = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_.~-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, MAX)
    .replace(/-+$/, '');
  return ROOM_NAME.test(name) ? name : '';
}
