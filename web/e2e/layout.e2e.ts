// The page on a small and on a large screen.

import { labels } from '../app/labels';
import { e2e, type House } from './harness/house';
import { inspect, SIZES } from './harness/inspect';
import type { Person } from './harness/person';
import { until } from './harness/wait';

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
