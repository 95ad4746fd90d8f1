// Names: suggestions for rooms, initials for avatars.

const adjectives = [
  'amber', 'brisk', 'calm', 'clear', 'copper', 'early', 'gentle', 'golden', 'green', 'keen', 'lucky', 'maple', 'mellow',
  'misty', 'north', 'open', 'quiet', 'rapid', 'silver', 'sunny', 'swift', 'tidy', 'warm', 'young',
];
const nouns = [
  'bay', 'bridge', 'brook', 'canyon', 'cedar', 'cove', 'field', 'forest', 'garden', 'harbor', 'hill', 'island', 'lake',
  'meadow', 'mill', 'orchard', 'pier', 'pine', 'river', 'shore', 'station', 'stone', 'valley', 'willow',
];

/** A friendly room name such as "calm-harbor-482". The number keeps strangers from meeting by chance; it is no secret. */
export function suggestRoom(random: () => number = secureRandom): string {
  const pick = (words: string[]) => words[Math.floor(random() * words.length)] ?? words[0];
  return `${pick(adjectives)}-${pick(nouns)}-${100 + Math.floor(random() * 900)}`;
}

function secureRandom(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
}

/** One or two letters for an avatar: the first letters of the first and the last word. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = letter(words[0]);
  const last = words.length > 1 ? letter(words[words.length - 1]) : '';
  return (first + last).toLocaleUpperCase() || '?';
}

function letter(word: string | undefined): string {
  return word?.match(/[\p{L}\p{N}]/u)?.[0] ?? '';
}

/** Which of the count avatar colours a member gets; the same on every page. */
export function tint(id: string, count: number): number {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.codePointAt(0)!) >>> 0;
  return hash % count;
}

/** A display name as the protocol takes it: no control characters, at most 64 characters, "Guest" for nothing. */
export function displayName(text: string): string {
  const clean = [...text.replace(/\p{Cc}+/gu, ' ').trim()].slice(0, 64).join('').trim();
  return clean || 'Guest';
}
