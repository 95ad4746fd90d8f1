import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ObjectError } from '../../sdk/api';
import type { ChatMessage, Delivery, Offer, Receiving, Room, Sending, TransferState, TransferWhy } from '../../sdk/api';
import { endOf, failureOf, percent, refusalOf, shortName, sizeText, standings } from './file-words';
import { Files, timeline, type FileLine } from './files';

const message = (at: number): ChatMessage => ({ seq: at, from: 'a', name: 'a', text: '', at, past: false });
const fileAt = (key: string, after: number): FileLine => ({ key, after }) as FileLine;

it('puts files behind the messages that were there before them', () => {
  const entries = timeline([message(1), message(5), message(9)], [fileAt('x', 0), fileAt('y', 5), fileAt('z', 9)]);
  expect(entries.map(({ message: m, file }) => file?.key ?? m?.at)).toEqual(['x', 1, 5, 'y', 9, 'z']);
  expect(entries.map(({ before }) => before?.at)).toEqual([undefined, undefined, 1, undefined, undefined, undefined]);
});

it('says sizes as people do', () => {
  const sizes = [0, 1, 999, 1_000, 9_940, 9_960, 734_003, 999_600, 1.5e9, 2 ** 40];
  expect(sizes.map(sizeText)).toEqual(['0 bytes', '1 byte', '999 bytes', '1.0 kB', '9.9 kB', '10 kB', '734 kB', '1.0 MB', '1.5 GB', '1.1 TB']);
  expect([percent(0, 0), percent(999, 1_000), percent(1_000, 1_000)]).toEqual([100, 99, 100]);
});

it('shows the end of a long name', () => {
  expect(shortName('plan.pdf')).toBe('plan.pdf');
  expect(shortName(`${'a'.repeat(200)}.pdf.exe`)).toBe(`${'a'.repeat(60)}…${'a'.repeat(12)}.pdf.exe`);
});

describe('words', () => {
  const why = (code: string): TransferWhy => ({ code, text: 'words of the relay' });

  it('has words of its own for all that can happen, and tells what else does', () => {
    for (const code of ['cancelled-here', 'cancelled', 'left', 'hash', 'failed', 'no-space', 'too-large', 'closed']) expect(failureOf(why(code))).not.toContain('words of the relay');
    for (const code of ['cancelled-here', 'unreadable', 'too-many-objects', 'closed']) expect(endOf(why(code))).not.toContain('words of the relay');
    for (const text of [failureOf(why('new')), endOf(why('new'))]) expect(text).toContain('words of the relay (new)');
    expect(refusalOf('a/b', { code: 'bad-object', message: 'a name is not a path' })).toBe('a/b was not offered: a name is not a path. Rename it, then choose it again.');
  });

  it('tells how everybody stands, and what concerns all only once', () => {
    const one = (name: string, state: TransferState, code?: string): Delivery => ({ member: name, name, state, bytes: 0, ...(code && { why: why(code) }) });
    const list = [one('Ann', 'done'), one('Bob', 'done'), one('Cyd', 'offered'), one('Dee', 'declined'), one('Eve', 'failed', 'left'), one('Fay', 'accepted')];
    expect(standings(list).map(({ text }) => text)).toEqual([
      'Ann and Bob have it.',
      'Waiting for Cyd to answer.',
      'Dee declined it.',
      'Eve left before it was there. Whoever comes back is asked again.',
    ]);
    expect(standings([one('Ann', 'failed', 'unreadable')], why('unreadable'))).toEqual([]);
  });
});

/** An offer as the SDK makes them, with its handlers at hand. */
class FakeOffer implements Offer, Receiving {
  readonly from = 'm-2';
  readonly fromName = 'Ann';
  readonly type = 'text/html';
  state: TransferState = 'offered';
  why: TransferWhy | undefined;
  bytes = 0;
  readonly asked: string[] = [];
  private handlers: Record<string, (value: never) => void> = {};
  resolve!: (file: File) => void;
  readonly file = new Promise<File>((resolve) => (this.resolve = resolve));

  constructor(
    readonly name: string,
    readonly size: number,
  ) {}

  on(event: string, handler: (value: never) => void): () => void {
    this.handlers[event] = handler;
    return () => undefined;
  }

  accept(): Receiving {
    this.asked.push('accept');
    return this;
  }

  decline(): void {
    this.asked.push('decline');
  }

  cancel(): void {
    this.asked.push('cancel');
  }

  become(state: TransferState, why?: TransferWhy): void {
    Object.assign(this, { state, why });
    this.handlers['change']?.(this as never);
  }

  progress(bytes: number): void {
    this.handlers['progress']?.(bytes as never);
  }
}

describe('the lines', () => {
  let lines: readonly FileLine[];
  let heard: string[];
  let offer: (offer: Offer) => void;
  let changed: ((sending: Sending) => void)[];
  let files: Files;

  beforeEach(() => {
    lines = [];
    heard = [];
    changed = [];
    vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => `blob:${(blob as Blob).type}`);
    const send = (file: File): Sending => {
      if (file.name.includes('/')) throw new ObjectError('bad-object', 'a name is not a path');
      const sending = { name: file.name, size: file.size, open: true, why: undefined, deliveries: [], cancel: () => heard.push(`cancel ${file.name}`) };
      return { ...sending, on: (_: string, handler: (s: Sending) => void) => (changed.push(handler), () => undefined) } as unknown as Sending;
    };
    const room = { self: { name: 'Bob' }, send, on: (_: string, handler: (o: Offer) => void) => ((offer = handler), () => undefined) } as unknown as Room;
    files = new Files(room, {
      changed: (list) => (lines = list),
      newestChat: () => 7,
      offered: (text) => heard.push(text),
      said: (text) => heard.push(text),
      failed: (text) => heard.push(text),
    });
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('an offer is taken, comes, and can be saved, without the type that its sender gave it', async () => {
    const plan = new FakeOffer('plan.pdf', 2_000);
    offer(plan);
    expect(heard).toEqual(['Ann offers you plan.pdf, 2.0 kB.']);
    expect(lines[0]).toMatchObject({ from: 'Ann', own: false, state: 'offered', after: 7 });
    files.accept(lines[0]!.key);
    plan.become('accepted');
    plan.progress(1_000);
    expect(lines[0]).toMatchObject({ state: 'accepted', bytes: 1_000 });
    plan.become('done');
    expect(lines[0]!.state).toBe('accepted');
    plan.resolve(new File(['x'], 'plan.pdf', { type: 'text/html' }));
    await vi.waitFor(() => expect(lines[0]).toMatchObject({ state: 'done', link: 'blob:application/octet-stream' }));
    expect(heard.at(-1)).toBe('plan.pdf is here and can be saved.');
    const revoked = vi.spyOn(URL, 'revokeObjectURL');
    files.close();
    expect(revoked).toHaveBeenCalledTimes(1);
  });

  it('declines, cancels, and says what failed', () => {
    const [one, two] = [new FakeOffer('a', 1), new FakeOffer('b', 1)];
    offer(one);
    offer(two);
    files.decline(lines[0]!.key);
    files.accept(lines[1]!.key);
    files.cancel(lines[1]!.key);
    expect([one.asked, two.asked]).toEqual([['decline'], ['accept', 'cancel']]);
    two.become('failed', { code: 'hash', text: '' });
    expect(heard.at(-1)).toBe('b: It arrived damaged and was thrown away. Ask for it again.');
  });

  it('one\'s own file tells who has it, once, and what cannot be offered says why', () => {
    files.offer([new File(['abc'], 'c.txt'), new File([], 'x/y')]);
    expect(heard).toEqual(['x/y was not offered: a name is not a path. Rename it, then choose it again.']);
    const deliveries: Delivery[] = [{ member: 'm-2', name: 'Ann', state: 'done', bytes: 3 }];
    for (let i = 0; i < 2; i++) changed[0]!({ open: true, why: undefined, deliveries } as unknown as Sending);
    expect(heard.slice(1)).toEqual(['Ann has c.txt.']);
    expect(lines[0]).toMatchObject({ own: true, from: 'Bob', state: 'offered', deliveries });
    files.cancel(lines[0]!.key);
    expect(heard.at(-1)).toBe('cancel c.txt');
  });

  it('keeps 100 lines, and forgets what is over first', () => {
    for (let i = 0; i < 130; i++) {
      const many = new FakeOffer(`f${i}`, 1);
      offer(many);
      if (i !== 0) many.become('declined');
    }
    expect(lines.length).toBe(100);
    expect([lines[0]!.name, lines[1]!.name]).toEqual(['f0', 'f31']);
  });
});
