// Looks a page over: nothing sticks out, every control can be reached by keyboard. Screenshots go to web/test-results.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, inject } from 'vitest';
import type { Person } from './person';
import { until } from './wait';

/** A small and a large screen. */
export const SIZES = [
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

/** name: what the page shows, for the screenshot and the report. */
export async function inspect(person: Person, name: string, width: number): Promise<void> {
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
