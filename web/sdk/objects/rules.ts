// What an object may be (docs/protocol.md sections 4, 13 and 18).

export const MAX_OBJECT = 2 ** 40;
const MAX_NAME = 255;
const MAX_TYPE = 128;
const MAX_ID = 64;

/** How far a sender may be ahead of what was consumed, bytes. */
export const WINDOW = 262_144;
/** How long the other end is expected back after the relay was started anew, ms. */
export const ADRIFT_MS = 30_000;

// Control characters, also those that set the direction of text, and what is none in UTF-8.
const FORBIDDEN = /[\p{Cc}\p{Bidi_Control}\p{Cs}\ufffd]/u;

const utf8 = new TextEncoder();
const bytesOf = (text: string): number => utf8.encode(text).length;

/** What speaks against an object, in words. */
export function faultOf({ object, name, size, type }: { object: string; name: string; size: number; type: string }): string | undefined {
  if (object === '' || bytesOf(object) > MAX_ID) return `an object's id has 1 to ${MAX_ID} bytes`;
  if (name === '' || bytesOf(name) > MAX_NAME) return `a name has 1 to ${MAX_NAME} bytes`;
  if (name === '.' || name === '..' || /[/\\]/.test(name)) return 'a name is not a path';
  if (FORBIDDEN.test(name)) return 'a name has no control characters';
  if (size > MAX_OBJECT) return 'an object has up to 1 TiB';
  if (bytesOf(type) > MAX_TYPE || FORBIDDEN.test(type)) return `a type has up to ${MAX_TYPE} bytes`;
  return undefined;
}
