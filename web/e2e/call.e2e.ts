// A call between pages: what one does is looked for on the other's page.

import { expect } from 'vitest';
import { labels, states } from '../app/labels';
import { e2e } from './harness/house';
import { AUDIBLE } from './harness/person';
import { until } from './harness/wait';

e2e('two people see and hear each other over the WebSocket', async ({ house }) => {
  const [ann, bob] = await house.call('kitchen', ['ann', 'bob']);
  await Promise.all([ann.meets(bob), bob.meets(ann)]);
  const before = await house.server.metrics();
  await Promise.all([ann.sees(bob, { frames: 20 }), bob.sees(ann, { frames: 20 })]);
  const after = await house.server.metrics();
  const [sent, overSocket] = ['landline_media_bytes_out_total', 'path="websocket"'];
  expect(after.sum(sent, overSocket) - before.sum(sent, overSocket), 'media bytes over the WebSocket').toBeGreaterThan(20_000);
  expect(after.sum(sent), 'media bytes over all paths').toBe(after.sum(sent, overSocket));
});

e2e('the microphone goes off and on for the other', async ({ house }) => {
  const [ann, bob] = await house.call('kitchen', ['ann', 'bob']);
  const muted = bob.tile('Ann').getByText(states.muted, { exact: true });
  await bob.hears(ann);
  await ann.press(labels.mute);
  await muted.waitFor({ state: 'attached', timeout: 3_000 });
  await bob.hearsNothing({ ms: 3_000 });
  await ann.press(labels.unmute);
  await muted.waitFor({ state: 'detached', timeout: 3_000 });
  await bob.hears(ann, { ms: 3_000 });
  await ann.page.keyboard.press('m');
  await bob.hearsNothing({ ms: 3_000 });
  await ann.page.keyboard.press('m');
  await bob.hears(ann, { ms: 3_000 });
});

e2e('the camera goes off and on for the other', async ({ house }) => {
  const [ann, bob] = await house.call('kitchen', ['ann', 'bob']);
  const off = bob.tile('Ann').getByText(states.cameraOff, { exact: true });
  await ann.press(labels.cameraOff);
  await off.waitFor({ state: 'attached', timeout: 3_000 });
  await bob.pictureOf(ann).waitFor({ state: 'hidden', timeout: 3_000 });
  await bob.hears(ann);
  await ann.press(labels.cameraOn);
  await bob.sees(ann, { ms: 5_000 });
  await off.waitFor({ state: 'detached', timeout: 3_000 });
  await ann.page.keyboard.press('v');
  await off.waitFor({ state: 'attached', timeout: 3_000 });
  await ann.page.keyboard.press('v');
  await bob.sees(ann, { ms: 5_000 });
});

e2e('a shared screen takes the stage of the other, and leaves it', async ({ house }) => {
  const [ann, bob] = await house.call('kitchen', ['ann', 'bob']);
  await ann.press(labels.share);
  const picture = bob.screenOf(ann);
  await picture.waitFor({ timeout: 5_000 });
  const first = await until('the screen is painted', () => bob.look(picture));
  await until('the screen moves', async () => (await bob.look(picture)) !== first);
  const area = async (name: string) => {
    const { width, height } = (await bob.tile(name).boundingBox())!;
    return width * height;
  };
  expect(await area('Screen of Ann')).toBeGreaterThan(2 * (await area('Ann')));
  await bob.sees(ann);
  await ann.press(labels.stopSharing);
  await bob.tile('Screen of Ann').waitFor({ state: 'detached', timeout: 3_000 });
  await bob.meets(ann);
});

e2e('chat goes both ways, and markup in it stays text', async ({ house }) => {
  const [ann, bob] = await house.call('kitchen', ['ann', 'bob']);
  const attack = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script> & "quotes"';
  await ann.press(labels.openChat);
  await ann.page.getByRole('textbox', { name: labels.message }).fill(attack);
  await ann.press(labels.send);
  await until('the unread message is counted', async () => (await bob.page.title()).startsWith('(1)'));
  await bob.page.keyboard.press('c');
  const log = bob.page.getByRole('log', { name: labels.chat });
  await log.getByText(attack, { exact: true }).waitFor({ timeout: 3_000 });
  expect(await log.locator('img, script').count()).toBe(0);
  await bob.page.getByRole('textbox', { name: labels.message }).fill('Grüße, 你好 👋');
  await bob.page.keyboard.press('Enter');
  await ann.page.getByRole('log', { name: labels.chat }).getByText('Grüße, 你好 👋').waitFor({ timeout: 3_000 });
  expect(await bob.page.title()).toBe('kitchen · Landline');
  await bob.page.keyboard.press('Escape');
  await log.waitFor({ state: 'detached' });
  const cyd = await house.person('cyd');
  await cyd.join(house.server.url, 'kitchen');
  await cyd.press(labels.openChat);
  await cyd.page.getByRole('log', { name: labels.chat }).getByText('Grüße, 你好 👋').waitFor({ timeout: 3_000 });
  expect(await cyd.page.title(), 'what was said before is no news').toBe('kitchen · Landline');
});

e2e('people, devices and keys are listed; a lower quality arrives smaller', async ({ house }) => {
  const [ann, bob] = await house.call('kitchen', ['ann', 'bob']);
  await ann.press(labels.openPeople);
  const people = ann.page.getByRole('list', { name: labels.people });
  await people.getByRole('listitem').filter({ hasText: 'Ann (you)' }).waitFor({ timeout: 2_000 });
  await people.getByRole('listitem').filter({ hasText: 'Bob' }).waitFor({ timeout: 2_000 });
  expect(await people.getByRole('listitem').count()).toBe(2);
  await ann.page.getByRole('slider', { name: 'Volume of Bob' }).fill('0');
  await ann.hearsNothing({ ms: 3_000 });
  await ann.page.getByRole('slider', { name: 'Volume of Bob' }).fill('1');
  await ann.hears(bob, { ms: 3_000 });

  await ann.press(labels.settings);
  const dialog = ann.page.getByRole('dialog', { name: labels.settings });
  for (const name of [labels.camera, labels.microphone, labels.speaker]) {
    await dialog.getByRole('combobox', { name, exact: true }).locator('option').first().waitFor({ state: 'attached', timeout: 3_000 });
  }
  // A call may begin with the small one where the machine has nothing to spare.
  await until('the large picture is there', () => bob.pictureOf(ann).evaluate((canvas) => (canvas as HTMLCanvasElement).width === 640), { ms: 40_000 });
  await dialog.getByRole('combobox', { name: 'Picture quality' }).selectOption('low');
  await until('the small picture arrives', () => bob.pictureOf(ann).evaluate((canvas) => (canvas as HTMLCanvasElement).width === 320));
  await bob.sees(ann);
  await ann.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await until('the keys are listed', async () => {
    await ann.page.keyboard.press('?');
    return ann.page.getByRole('dialog', { name: labels.shortcuts }).isVisible();
  });
});

e2e('who leaves is gone at once; a closed tab within 2 s', async ({ house }) => {
  const [ann, bob, cyd] = await house.call('kitchen', ['ann', 'bob', 'cyd']);
  await ann.press(labels.leave);
  await bob.tile('Ann').waitFor({ state: 'detached', timeout: 1_000 });
  await ann.heading('You left the call').waitFor();
  await cyd.page.close();
  await bob.tile('Cyd').waitFor({ state: 'detached', timeout: 2_000 });
  expect([...(await house.server.members('kitchen')).keys()]).toEqual(['Bob']);
  await ann.press(labels.rejoin);
  await Promise.all([ann.meets(bob), bob.meets(ann)]);
});

e2e('three see and hear each other', async ({ house }) => {
  const [ann, bob] = await house.call('kitchen', ['ann', 'bob']);
  const cyd = await house.person('cyd');
  await cyd.join(house.server.url, 'kitchen');
  const people = [ann, bob, cyd];
  await Promise.all(people.map(async (one) => {
    const others = people.filter((other) => other !== one);
    await Promise.all(others.map((other) => one.sees(other)));
    await until(`${one.name} hears both`, async () => {
      const heard = await one.hear(...others);
      return heard && heard.rms > AUDIBLE && heard.tones.every((level) => level > -45);
    });
  }));
});
