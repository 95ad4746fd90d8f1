// Checks a parsed JSON value against a shape and fills in what is absent. An absent field has its
// zero value (docs/protocol.md section 4); null counts as absent. Unknown fields are left out.

/** A message against the rules of docs/protocol.md section 4: 'bad-message'. */
export class MessageError extends Error {
  constructor(text: string) {
    super(text);
    this.name = 'MessageError';
  }
}

export type Check<T> = (value: unknown, at: string) => T;
export type Of<C> = C extends Check<infer T> ? T : never;

const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

function refuse(at: string, want: string): never {
  throw new MessageError(`${at} is not ${want}`);
}

function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** Text; when a rule is given, text that is there must match it. */
export function text(rule?: RegExp): Check<string> {
  return (value, at) => {
    if (absent(value)) return '';
    if (typeof value !== 'string') return refuse(at, 'text');
    if (rule && value !== '' && !rule.test(value)) return refuse(at, `a name as ${rule.source}`);
    return value;
  };
}

/** Text that must be there and match the rule. */
export function needed(rule: RegExp): Check<string> {
  return (value, at) => (typeof value === 'string' && rule.test(value) ? value : refuse(at, `a name as ${rule.source}`));
}

/** One of the given words. Others are refused: a track of an unknown kind cannot be handled. */
export function word<W extends string>(...words: W[]): Check<W> {
  return (value, at) => words.find((w) => w === value) ?? refuse(at, `one of ${words.join(', ')}`);
}

/** A whole number from 0 to max. */
export function count(max: number = MAX_INTEGER): Check<number> {
  return (value, at) => {
    if (absent(value)) return 0;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) return refuse(at, `a whole number up to ${max}`);
    return value;
  };
}

export const flag: Check<boolean> = (value, at) => {
  if (absent(value)) return false;
  return typeof value === 'boolean' ? value : refuse(at, 'true or false');
};

export function list<T>(item: Check<T>, max: number): Check<T[]> {
  return (value, at) => {
    if (absent(value)) return [];
    if (!Array.isArray(value) || value.length > max) return refuse(at, `a list of up to ${max}`);
    return value.map((v: unknown, i) => item(v, `${at}[${i}]`));
  };
}

export function maybe<T>(check: Check<T>): Check<T | undefined> {
  return (value, at) => (absent(value) ? undefined : check(value, at));
}

/** Any JSON, null included; undefined where it nests deeper than max. */
export function opaque(max: number): Check<unknown> {
  return (value) => (nestsWithin(value, max) ? (value ?? null) : undefined);
}

/** Whether brackets nest at most so deep in a value. */
export function nestsWithin(value: unknown, max: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return max > 0 && Object.values(value).every((inner) => nestsWithin(inner, max - 1));
}

/** An object with numbers under names of the sender's choosing, at most max of them. */
export function counts(max: number): Check<Record<string, number>> {
  const number = count();
  return (value, at) => {
    if (absent(value)) return {};
    const entries = Object.entries(fieldsOf(value, at));
    if (entries.length > max) return refuse(at, `at most ${max} numbers`);
    return Object.fromEntries(entries.map(([k, v]) => [k, number(v, `${at}.${k}`)]));
  };
}

function fieldsOf(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(at, 'an object');
  return value as Record<string, unknown>;
}

export type Shape = Record<string, Check<unknown>>;
export type Fields<S extends Shape> = { [K in keyof S]: Of<S[K]> };

export function object<S extends Shape>(shape: S): Check<Fields<S>> {
  return (value, at) => {
    const fields = fieldsOf(absent(value) ? {} : value, at);
    return Object.fromEntries(Object.entries(shape).map(([k, check]) => [k, check(fields[k], `${at}.${k}`)])) as Fields<S>;
  };
}

/** Refuses text whose brackets nest deeper than max, before a parser is let loose on it. */
export function checkDepth(json: string, max: number): void {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > max) throw new MessageError(`nested deeper than ${max}`);
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
}
