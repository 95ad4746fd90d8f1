// With keys: who may come in, who is told why not, and coming back to a server that was started again.

import { expect } from 'vitest';
import { labels } from '../app/labels';
import { remedyLabels } from '../app/problems';
import { figure } from './harness/figures';
import { KEY, keyed, type House } from './harness/house';
import type { Role } from './harness/media';
import { mint, type Claims } from './harness/token';
import { until } from './harness/wait';

const ROOM = 'kitchen';
const invitation = (sub: string, more: Partial<Claims> = {}): string => mint(KEY, { room: ROOM, sub, ...more });

async function refused(house: House, role: Role, token: string | undefined, title: string): Promise<void> {
  const person = await house.person(role);
  await person.open(house.server.url, ROOM, token);
  await person.press(labels.join);
  await person.heading(title).waitFor({ timeout: 8_000 });
  await person.context.close();
}

keyed('a token lets in; a wrong, foreign, expired or missing one is refused in words', async ({ house }) => {
  const ann = await house.person('ann');
  await ann.join(house.server.url, ROOM, invitation('ann'));
  expect(ann.page.url(), 'the token is taken out of the address').toBe(`${house.server.url}/r/${ROOM}`);
  expect([...(await house.server.members(ROOM)).values()]).toMatchObject([{ id: 'ann', name: 'Ann' }]);
  await refused(house, 'bob', undefined, 'You need an invitation');
  await refused(house, 'bob', 'no.real.token', 'You need an invitation');
  await refused(house, 'bob', mint({ ...KEY, secret: 'another secret of some length' }, { room: ROOM, sub: 'bob' }), 'You need an invitation');
  await refused(house, 'bob', invitation('bob', { ttl: -60 }), 'Your invitation has expired');
  await refused(house, 'bob', invitation('bob', { room: 'garden' }), 'Your invitation is for another room');
  expect((await house.server.members(ROOM)).size).toBe(1);
});

keyed('who joins from elsewhere replaces the first page, and can be taken back', async ({ house }) => {
  const token = invitation('ann', { name: 'Ann' });
  const first = await house.person('ann');
  const second = await house.person('ann');
  await first.join(house.server.url, ROOM, token);
  await second.join(house.server.url, ROOM, token);
  await first.heading('You joined from somewhere else').waitFor({ timeout: 5_000 });
  expect([...(await house.server.members(ROOM)).values()]).toMatchObject([{ id: 'ann', state: 'online' }]);
  await first.press(remedyLabels.again);
  await first.button(labels.leave).waitFor({ timeout: 8_000 });
  await second.heading('You joined from somewhere else').waitFor({ timeout: 5_000 });
});

keyed('a restarted server has everybody back within 5 s as who they were', async ({ house }) => {
  house.cuts = true;
  house.expectedErrors.push(/WebSocket connection to '.*' failed/);
  const [ann, bob] = [await house.person('ann'), await house.person('bob')];
  await Promise.all([ann.join(house.server.url, ROOM, invitation('ann')), bob.join(house.server.url, ROOM, invitation('bob'))]);
  await Promise.all([ann.meets(bob), bob.meets(ann)]);
  const start = performance.now();
  await house.restart();
  const up = performance.now();
  await until('both are back', async () => {
    const members = [...(await house.server.members(ROOM)).values()];
    return members.length === 2 && members.every((member) => member.state === 'online');
  });
  const back = performance.now();
  await Promise.all([ann.meets(bob), bob.meets(ann)]);
  figure('server restart', 'members back after SIGTERM', [back - start], '<= 5000');
  figure('server restart', 'members back after the new server answered', [back - up], '<= 5000');
  figure('server restart', 'media back after SIGTERM', [performance.now() - start], '');
  expect(back - start).toBeLessThan(5_000);
  const members = await house.server.members(ROOM);
  expect([members.get('Ann')!.id, members.get('Bob')!.id]).toEqual(['ann', 'bob']);
});
