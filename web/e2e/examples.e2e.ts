// The examples: what one page puts, another one shows.

import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { labels } from '../app/labels';
import { e2e, keyed, KEY, type House } from './harness/house';
import { inspect, SIZES } from './harness/inspect';
import type { Person } from './harness/person';
import { mint } from './harness/token';
import { until } from './harness/wait';

const START = 'Feed this board';
const STOP = 'Stop feeding';

async function openTicker(person: Person, server: string, room: string): Promise<void> {
  await person.page.goto(`${server}/examples/ticker.html#${room}`);
  await person.button(START).waitFor({ timeout: 5_000 });
}

const rows = (page: Page): Locator => page.getByRole('list', { name: 'Prices' }).getByRole('listitem');

/** The board as a person reads it. */
const prices = (page: Page): Promise<string[]> => rows(page).allInnerTexts();

async function moves(person: Person): Promise<void> {
  const first = await until(`${person.name} has a board`, async () => {
    const seen = await prices(person.page);
    return seen.length === 200 ? seen : undefined;
  }, { ms: 5_000 });
  await until(`the prices of ${person.name} move`, async () => {
    const seen = await prices(person.page);
    return seen.filter((row, i) => row !== first[i]).length > 50;
  }, { ms: 3_000, every: 200 });
}

async function same(one: Person, other: Person): Promise<void> {
  await until('both boards are the same and rest', async () => {
    const before = await prices(one.page);
    const [here, there] = await Promise.all([prices(one.page), prices(other.page)]);
    return here.length === 200 && here.join() === there.join() && before.join() === here.join();
  }, { ms: 5_000, every: 300 });
}

e2e('ticker: a reader sees prices move, and the last ones of the feeder when it stops', async ({ house }) => {
  const [ann, bob] = [await house.person('ann'), await house.person('bob')];
  await openTicker(ann, house.server.url, 'market');
  await ann.page.getByRole('combobox', { name: 'Speed' }).selectOption('5000');
  await ann.press(START);
  await openTicker(bob, house.server.url, 'market');
  await bob.page.getByText('Another page feeds the board.').waitFor({ timeout: 3_000 });
  await Promise.all([moves(ann), moves(bob)]);
  expect(await bob.button(START).isDisabled()).toBe(true);
  await ann.press(STOP);
  await bob.page.getByText('Nobody feeds the board now.').waitFor({ timeout: 3_000 });
  await same(ann, bob);

  await bob.press(START);
  await ann.page.getByText('Another page feeds the board.').waitFor({ timeout: 3_000 });
  await moves(ann);
  await bob.page.close();
  await ann.page.getByText('Nobody feeds the board now.').waitFor({ timeout: 3_000 });
  expect(await ann.button(START).isEnabled()).toBe(true);
});

e2e('ticker: a connection that is cut while it feeds leaves both boards the same', async ({ house }) => {
  house.cuts = true;
  const [ann, bob] = [await house.person('ann'), await house.person('bob')];
  const proxy = await house.proxy(7);
  house.expectedErrors.push(/WebSocket connection/);
  await openTicker(ann, proxy.url, 'market');
  await openTicker(bob, proxy.url, 'market');
  await ann.press(START);
  await moves(bob);
  proxy.reset();
  await moves(bob);
  proxy.reset();
  await ann.press(STOP);
  await same(ann, bob);
});

async function play(person: Person, server: string, room: string): Promise<void> {
  await person.page.goto(`${server}/examples/game.html#${room}`);
  await person.page.getByRole('textbox', { name: 'Your name' }).fill(person.name);
  await person.press('Play');
  await dot(person.page, 'You').waitFor({ timeout: 5_000 });
}

const field = (page: Page): Locator => page.getByRole('application', { name: 'Field' });
const dot = (page: Page, name: string): Locator => field(page).getByRole('img', { name, exact: true });
const scores = (page: Page): Locator => page.getByRole('list', { name: 'Scores' }).getByRole('listitem');

/** Where a dot is, in hundredths of the field. */
async function placeOf(page: Page, name: string): Promise<{ x: number; y: number }> {
  const [inner, outer] = [(await dot(page, name).boundingBox())!, (await field(page).boundingBox())!];
  return { x: ((inner.x + inner.width / 2 - outer.x) / outer.width) * 100, y: ((inner.y + inner.height / 2 - outer.y) / outer.height) * 100 };
}

/** Has a dot steered to a corner by the pointer. */
async function steer(person: Person, x: number, y: number): Promise<void> {
  const { x: left, y: top, width, height } = (await field(person.page).boundingBox())!;
  await person.page.mouse.move(left + (width * x) / 100, top + (height * y) / 100);
}

async function seenAt(person: Person, name: string, x: number, y: number, ms: number): Promise<void> {
  await until(`${person.name} sees ${name} at ${x}, ${y}`, async () => {
    const at = await placeOf(person.page, name);
    if (Math.hypot(at.x - x, at.y - y) > 3) throw new Error(JSON.stringify(at));
    return true;
  }, { ms });
}

e2e('game: who moves is seen to, who takes gems has them everywhere, who goes is gone', async ({ house }) => {
  const [ann, bob] = [await house.person('ann'), await house.person('bob')];
  await play(ann, house.server.url, 'garden');
  await play(bob, house.server.url, 'garden');
  await dot(ann.page, 'Bob').waitFor({ timeout: 2_000 });
  // From corner to corner a dot takes under 2.5 s.
  await steer(ann, 10, 10);
  await seenAt(bob, 'Ann', 10, 10, 4_000);
  await steer(ann, 90, 90);
  await seenAt(bob, 'Ann', 90, 90, 4_000);
  await field(bob.page).focus();
  const before = await placeOf(bob.page, 'You');
  const key = before.x > 50 ? 'ArrowLeft' : 'ArrowRight';
  await bob.page.keyboard.down(key);
  await until('Bob goes by keys', async () => Math.abs((await placeOf(ann.page, 'Bob')).x - before.x) > 10, { ms: 2_000 });
  await bob.page.keyboard.up(key);

  const score = (page: Page) => scores(page).filter({ hasText: 'Ann' }).getByText(/^\d+$/).innerText().then(Number);
  for (let y = 5; y <= 95 && (await score(ann.page)) === 0; y += 6) {
    for (const x of (y / 6) % 2 < 1 ? [5, 95] : [95, 5]) {
      await steer(ann, x, y);
      await seenAt(ann, 'You', x, y, 4_000);
    }
  }
  expect(await score(ann.page)).toBeGreaterThan(0);
  await until('Bob knows the score', async () => (await score(bob.page)) === (await score(ann.page)), { ms: 2_000 });

  await ann.page.close();
  await dot(bob.page, 'Ann').waitFor({ state: 'detached', timeout: 2_000 });
  expect(await scores(bob.page).allInnerTexts()).toHaveLength(1);
});

keyed('an example takes its token from the link, and says what is missing without one', async ({ house }) => {
  const ann = await house.person('ann');
  await ann.page.goto(`${house.server.url}/examples/ticker.html#market`);
  await ann.page.getByText(/lets in only people with an invitation/).waitFor({ timeout: 5_000 });
  const token = mint(KEY, { room: 'market', sub: 'ann', grants: ['subscribe'] });
  await openTicker(ann, house.server.url, `market&token=${token}`);
  expect(ann.page.url()).not.toContain(token);
  await ann.press(START);
  await ann.page.getByRole('alert').getByText(/token/).waitFor({ timeout: 3_000 });
});

async function tour(house: House, size: { width: number; height: number }): Promise<void> {
  const { width } = size;
  const [ann, bob] = [await house.person('ann', { size }), await house.person('bob')];
  const { url } = house.server;
  const proxy = await house.proxy(3);
  await ann.page.goto(proxy.url);
  await ann.page.getByRole('link', { name: labels.ticker }).click();
  await ann.button('Open the board').waitFor();
  await inspect(ann, 'ticker-door', width);
  await ann.page.getByRole('textbox', { name: 'Room' }).fill('market');
  await ann.press('Open the board');
  await ann.page.getByRole('heading', { name: 'No prices yet' }).waitFor();
  await inspect(ann, 'ticker-empty', width);
  await openTicker(bob, url, 'market');
  await bob.press(START);
  await moves(ann);
  await until('the board is told of', async () => !(await ann.page.getByText(/^0 \/s$/).count()));
  await inspect(ann, 'ticker', width);
  proxy.silence();
  await ann.page.getByText('Reconnecting…').waitFor({ timeout: 10_000 });
  await inspect(ann, 'ticker-lost', width);
  proxy.restore();
  await ann.page.getByText('Live', { exact: true }).waitFor({ timeout: 10_000 });
  await bob.press(STOP);

  await ann.page.goto(proxy.url);
  await ann.page.getByRole('link', { name: labels.game }).click();
  await ann.button('Play').waitFor();
  await inspect(ann, 'game-door', width);
  await play(ann, proxy.url, 'garden');
  await inspect(ann, 'game-alone', width);
  await play(bob, url, 'garden');
  await dot(ann.page, 'Bob').waitFor();
  await steer(bob, 30, 40);
  await steer(ann, 60, 50);
  await seenAt(ann, 'Bob', 30, 40, 4_000);
  await inspect(ann, 'game', width);
}

for (const size of SIZES) {
  e2e(`examples fit and can be used by keyboard at ${size.width} px`, async ({ house }) => {
    house.cuts = true;
    house.expectedErrors.push(/WebSocket connection/);
    await tour(house, size);
  }, 90_000);
}
