// The page on a small and on a large screen: nothing sticks out, every control can be reached by keyboard. Screenshots
// go to web/test-results.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, inject } from 'vitest';
import { labels } from '../app/labels';
import { e2e, type House } from './harness/house';
import type { Person } from './harness/person';
import { until } from './harness/wait';

const SIZES = [
  { width: 360, height: 640 },
  { width: 1920, height: 1080 },
];

/** Elements that the pointer could use now, and whether the keyboard came by; named as a person would. */
async function controlsMissed(page: Page): Promise<string[]> {
  const total = await page.evaluate(() => {
    const scope = document.querySelector('dialog[open]') ?? document.body;
    const all = scope.querySelectorAll<HTMLElement>('button, input, select, textarea, a[href], summary, [tabindex="0"]');
    const usable = [...all].filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.matches(':disabled'));
    for (const element of usable) element.dataset['control'] = element.getAttribute('aria-label') ?? element.innerText ?? element.tagName;
    document.addEventListener('focusin', (event) => delete (event.target as HTMLElement).dataset['control']);
    return usable.length;
  });
  for (let i = 0; i < 2 * total + 5; i++) await page.keyboard.press('Tab');
  return page.evaluate(() => [...document.querySelectorAll<HTMLElement>('[data-control]')].map((element) => element.dataset['control']!));
}

/** How far the page can be scrolled sideways, px, and what of it is cut off at the sides. */
async function sideways(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const found = scrollWidth > clientWidth ? [`the page is ${scrollWidth} px wide`] : [];
    for (const element of document.querySelectorAll<HTMLElement>('button, input, select, textarea, h1, h2, p')) {
      const { left, right, width } = element.getBoundingClientRect();
      const seen = element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && width > 1 && !element.closest('.sr, .skip');
      if (seen && (left < -1 || right > innerWidth + 1)) found.push(`${element.tagName} "${element.innerText || element.ariaLabel}" from ${left} to ${right}`);
    }
    for (const tile of document.querySelectorAll('main [role="group"]')) {
      const [inner, outer] = [tile.getBoundingClientRect(), tile.closest('main')!.getBoundingClientRect()];
      if (inner.left < outer.left - 1 || inner.right > outer.right + 1) found.push(`the tile ${tile.ariaLabel} from ${inner.left} to ${inner.right}`);
    }
    return found;
  });
}

async function inspect(person: Person, name: string, width: number): Promise<void> {
  mkdirSync(inject('results'), { recursive: true });
  const within = until('nothing sticks out', async () => {
    const found = await sideways(person.page);
    if (found.length > 0) throw new Error(found.join('; '));
    return true;
  }, { ms: 2_000 });
  expect.soft(await within.catch((error: Error) => error.message), `${name} at ${width} px`).toBe(true);
  await person.page.screenshot({ path: join(inject('results'), `${width}-${name}.png`) });
  expect.soft(await controlsMissed(person.page), `${name} at ${width} px, not reached by Tab`).toEqual([]);
}

async function openPanel(person: Person, label: string, narrow: boolean): Promise<void> {
  if (narrow) await person.press(labels.more);
  await person.press(label);
}

async function tour(house: House, size: { width: number; height: number }): Promise<void> {
  const { width } = size;
  const ann = await house.person('ann', { size });
  await ann.page.goto(house.server.url);
  await ann.page.getByLabel('Preview of your camera').waitFor();
  await inspect(ann, 'start', width);
  await ann.open(house.server.url, 'kitchen');
  await ann.page.getByLabel('Preview of your camera').waitFor();
  await inspect(ann, 'room', width);
  await ann.press(labels.join);
  await ann.button(labels.leave).waitFor({ timeout: 10_000 });
  await until('the own picture shows', () => ann.stamp(ann.ownPicture));
  await inspect(ann, 'alone', width);

  const bob = await house.person('bob');
  await bob.join(house.server.url, 'kitchen');
  await ann.sees(bob);
  await inspect(ann, 'call', width);
  await bob.press(labels.share);
  await until('the screen is painted', () => ann.look(ann.screenOf(bob)));
  await inspect(ann, 'screen', width);
  await ann.press(labels.openChat);
  await ann.page.getByRole('textbox', { name: labels.message }).fill(`A line with averylongwordthatdoesnotfit${'anywhere'.repeat(20)}`);
  await ann.press(labels.send);
  await inspect(ann, 'chat', width);
  await ann.press(labels.closePanel);
  await ann.press(labels.openPeople);
  await inspect(ann, 'people', width);
  await ann.press(labels.closePanel);
  await openPanel(ann, labels.connection, width < 720);
  await ann.page.getByText('Round trip').waitFor({ timeout: 5_000 });
  await inspect(ann, 'connection', width);
  await ann.press(labels.closePanel);
  await openPanel(ann, labels.settings, width < 720);
  await inspect(ann, 'settings', width);
  await ann.page.keyboard.press('Escape');
  await ann.press(labels.leave);
  await ann.heading('You left the call').waitFor();
  await inspect(ann, 'left', width);
}

for (const size of SIZES) {
  e2e(`fits and can be used by keyboard at ${size.width} px`, ({ house }) => tour(house, size), 90_000);
}
