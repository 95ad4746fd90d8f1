// Somebody at a browser: acts on the page by role and name, as people and screen readers do, and looks and listens.

import type { BrowserContext, ConsoleMessage, Locator, Page } from 'playwright-core';
import { filmOf, labels, screenOf, videoOf } from '../../app/labels';
import type { Role } from './media';
import { cast, LOOP_FRAMES } from './media';
import type { Heard, Picture, Stamp } from './probe';
import { until, type Patience } from './wait';

/** Louder than this a tone is heard; the fake microphones have 0.088. */
export const AUDIBLE = 0.03;
/** More silent than this nothing is heard. */
export const SILENT = 0.003;

export class Person {
  readonly name: string;
  readonly hz: number;
  readonly id: number;
  /** Errors of the page's console, and exceptions that nothing caught. */
  readonly errors: string[] = [];

  constructor(
    readonly role: Role,
    readonly context: BrowserContext,
    readonly page: Page,
    /** auto: the page may move media to WebRTC. Tests of the WebSocket keep it there. */
    readonly transport: 'auto' | 'ws' = 'ws',
  ) {
    ({ name: this.name, hz: this.hz, id: this.id } = cast[role]);
    const began = performance.now();
    const note = (text: string) => this.errors.push(`${text} [${((performance.now() - began) / 1000).toFixed(1)} s after the page was opened]`);
    page.on('console', (message: ConsoleMessage) => message.type() === 'error' && note(`${message.text()} (${message.location().url})`));
    page.on('pageerror', (error) => note(`uncaught: ${error.name} ${error.message} ${error.stack ?? ''}`));
  }

  /** Opens the page of a room, up to the preview. */
  async open(server: string, room: string, token?: string): Promise<void> {
    await this.page.goto(`${server}/r/${room}${this.transport === 'auto' ? '?transport=auto' : ''}${token ? `#token=${token}` : ''}`);
    await this.page.getByRole('textbox', { name: labels.yourName }).fill(this.name);
  }

  /** Opens the page of a room and enters it. */
  async join(server: string, room: string, token?: string): Promise<void> {
    await this.open(server, room, token);
    await this.press(labels.join);
    await this.button(labels.leave).waitFor({ timeout: 15_000 });
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  async press(name: string): Promise<void> {
    await this.button(name).click({ timeout: 5_000 });
  }

  heading(name: string | RegExp): Locator {
    return this.page.getByRole('heading', { name });
  }

  /** The tile of a member, or of a screen. */
  tile(name: string): Locator {
    return this.page.getByRole('group', { name, exact: true });
  }

  pictureOf(other: { name: string }): Locator {
    return this.page.getByRole('img', { name: videoOf(other.name), exact: true });
  }

  screenOf(other: { name: string }): Locator {
    return this.tile(screenOf(other.name)).getByRole('img', { name: screenOf(other.name), exact: true });
  }

  filmOf(other: { name: string }): Locator {
    return this.tile(filmOf(other.name)).getByRole('img', { name: filmOf(other.name), exact: true });
  }

  get ownPicture(): Locator {
    return this.page.getByLabel('Your video', { exact: true });
  }

  /** What stands in a picture's stamp now; undefined while there is none to be read. */
  async stamp(picture: Locator): Promise<Stamp | undefined> {
    if ((await picture.count()) !== 1) return undefined;
    return picture.evaluate((element) => window.probe.stamp(element as Picture));
  }

  async look(picture: Locator): Promise<number> {
    return picture.evaluate((element) => window.probe.look(element as Picture));
  }

  /** Waits until the other's camera is seen to move: at least this many frames further than the first that was seen. */
  async sees(other: Pick<Person, 'name' | 'id'>, { frames = 5, ...patience }: Patience & { frames?: number } = {}): Promise<void> {
    let first: Stamp | undefined;
    await until(`${this.name} sees ${other.name} move`, async () => {
      const seen = await this.stamp(this.pictureOf(other));
      if (seen && seen.id !== other.id) throw new Error(`the picture of ${other.name} is that of camera ${seen.id}`);
      first ??= seen;
      return seen && first && ahead(seen, first) >= frames;
    }, patience);
  }

  async hear(...others: { hz: number }[]): Promise<Heard | undefined> {
    return this.page.evaluate((tones) => window.probe.hear(tones), others.map(({ hz }) => hz));
  }

  /** Waits until exactly this member's tone is what is heard. */
  async hears(other: Person, patience: Patience = {}): Promise<void> {
    await until(`${this.name} hears ${other.name}`, async () => {
      const heard = await this.hear();
      return heard && heard.rms > AUDIBLE && Math.abs(heard.peak - other.hz) < 15 ? heard : report(heard);
    }, patience);
  }

  async hearsNothing(patience: Patience = {}): Promise<void> {
    await until(`${this.name} hears nothing`, async () => {
      const heard = await this.hear();
      return heard && heard.rms < SILENT ? heard : report(heard);
    }, patience);
  }

  /** Waits until pictures and sound come from the other. */
  async meets(other: Person, patience: Patience = {}): Promise<void> {
    await Promise.all([this.sees(other, patience), this.hears(other, patience)]);
  }
}

/** Shows up in the message of a deadline. */
function report(heard: Heard | undefined): never {
  throw new Error(heard ? `rms ${heard.rms.toFixed(4)}, peak ${Math.round(heard.peak)} Hz` : 'no sound output');
}

/** How many frames one stamp is after another. */
export const ahead = (later: Stamp, earlier: Stamp): number => (later.frame - earlier.frame + LOOP_FRAMES) % LOOP_FRAMES;
