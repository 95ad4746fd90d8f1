import type { MemberInfo } from '../../sdk';

type Names = ReadonlyMap<string, Pick<MemberInfo, 'name' | 'state'>>;

/** What a screen reader should hear about a change of the roster; "" for nothing. */
export function rosterNews(before: Names, now: Names): string {
  const joined: string[] = [];
  const back: string[] = [];
  const shaky: string[] = [];
  for (const [id, member] of now) {
    const was = before.get(id);
    if (!was) joined.push(member.name);
    else if (was.state !== member.state) (member.state === 'online' ? back : shaky).push(member.name);
  }
  const left = [...before].filter(([id]) => !now.has(id)).map(([, member]) => member.name);
  return [
    joined.length > 0 && `${group(joined)} joined.`,
    left.length > 0 && `${group(left)} left.`,
    shaky.length > 0 && `${group(shaky)} lost the connection.`,
    back.length > 0 && `${group(back)} ${back.length > 1 ? 'are' : 'is'} back.`,
  ].filter(Boolean).join(' ');
}

/** "Ann", "Ann and Bob", "Ann, Bob and 3 others". */
export function group(names: readonly string[]): string {
  if (names.length <= 2) return names.join(' and ');
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} others`;
}
