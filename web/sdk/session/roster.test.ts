import { beforeEach, expect, test } from 'vitest';
import type { Joined, ServerMessage } from '../wire/messages';
import { parseServer } from '../wire/messages';
import { JOINED } from './fake';
import { memberInfo, Roster } from './roster';

let told: string[];
let roster: Roster;

beforeEach(() => {
  told = [];
  const tell =
    (what: string) =>
    ({ member, track, aliases }: { member: string; track: { id: string }; aliases: number[] }): void => {
      told.push(`${what} ${member}/${track.id}#${aliases.join('+')}`);
    };
  roster = new Roster({ added: tell('added'), updated: tell('updated'), removed: tell('removed') });
});

const track = (id: string, alias: number, more: object = {}): object => ({ id, kind: 'video', source: 'camera', codec: 'vp8', layers: [{ alias }], ...more });
const member = (id: string, ...tracks: object[]): object => ({ id, name: id.toUpperCase(), state: 'online', tracks });

function joined(...members: object[]): Joined {
  return parseServer(JSON.stringify({ ...JOINED, members })) as Extract<ServerMessage, { type: 'joined' }>;
}

function say(message: object): boolean {
  return roster.apply(parseServer(JSON.stringify(message))!);
}

test('members and tracks come and go', () => {
  roster.replace(joined(member('bob', track('camera', 17))));
  say({ type: 'memberJoined', member: member('cyd') });
  say({ type: 'trackAdded', member: 'cyd', track: track('mic', 18, { kind: 'audio' }) });
  say({ type: 'trackUpdated', member: 'cyd', track: track('mic', 18, { kind: 'audio', muted: true }) });
  expect(memberInfo(roster.members.get('cyd')!).tracks).toMatchObject([{ id: 'mic', kind: 'audio', muted: true }]);
  say({ type: 'memberState', id: 'bob', state: 'reconnecting' });
  expect(roster.members.get('bob')?.state).toBe('reconnecting');
  say({ type: 'trackRemoved', member: 'cyd', track: 'mic' });
  say({ type: 'memberLeft', id: 'bob', reason: 'bye' });
  expect(told).toEqual(['added bob/camera#17', 'added cyd/mic#18', 'updated cyd/mic#18', 'removed cyd/mic#18', 'removed bob/camera#17']);
  expect([...roster.members.keys()]).toEqual(['cyd']);
});

test('after a resume only the differences are told', () => {
  roster.replace(joined(member('bob', track('camera', 17), track('screen', 18)), member('cyd', track('camera', 19))));
  told.length = 0;
  roster.replace(joined(member('bob', track('camera', 17), track('screen', 25)), member('dan', track('camera', 30))));
  expect(told).toEqual(['removed cyd/camera#19', 'removed bob/screen#18', 'updated bob/camera#17', 'added bob/screen#25', 'added dan/camera#30']);
});

test('a track has the aliases of all its layers, and is another one when one of them is', () => {
  const layers = (...aliases: number[]): object => ({ layers: aliases.map((alias) => ({ alias })) });
  roster.replace(joined(member('bob', track('camera', 0, layers(17, 18)))));
  say({ type: 'trackUpdated', member: 'bob', track: track('camera', 0, { ...layers(17, 18), width: 640 }) });
  roster.replace(joined(member('bob', track('camera', 0, layers(17, 20)))));
  expect(told).toEqual(['added bob/camera#17+18', 'updated bob/camera#17+18', 'removed bob/camera#17+18', 'added bob/camera#17+20']);
});

test('a kind of track from the future is left out and spoils nothing', () => {
  roster.replace(joined(member('bob', track('smell', 17, { kind: 'smell', source: 'nose' }), track('camera', 18))));
  expect(told).toEqual(['added bob/camera#18']);
  expect(memberInfo(roster.members.get('bob')!).tracks.map((t) => t.id)).toEqual(['camera']);
});

test('messages about members who are not here change nothing', () => {
  roster.replace(joined());
  expect(say({ type: 'trackAdded', member: 'ghost', track: track('camera', 1) })).toBe(true);
  expect(say({ type: 'trackRemoved', member: 'ghost', track: 'camera' })).toBe(true);
  expect(say({ type: 'notice', code: 'x' })).toBe(false);
  expect(told).toEqual([]);
});
