import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { MAX_RECEIVED_BYTES } from './api';
import { FakeRelay } from './fake-relay';
import type { FakeMember } from './fake-relay';

let relay: FakeRelay;
let ann: FakeMember;
let bob: FakeMember;

beforeEach(() => {
  relay = new FakeRelay();
  ann = relay.member('Ann');
  bob = relay.member('Bob');
});

const bytes = (size: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 9) * 7) & 255);
const fileOf = (size: number, type = 'application/pdf'): Blob => new Blob([bytes(size)], { type });
const sha = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

async function same(blob: Blob | undefined, size: number): Promise<void> {
  expect(blob?.size).toBe(size);
  expect(sha(new Uint8Array(await blob!.arrayBuffer()))).toBe(sha(bytes(size)));
}

/** Ann offers, and Bob takes it; when has is given, until he has so much of it. */
async function underWay(size: number, has: number): Promise<void> {
  ann.send(1, fileOf(size));
  await relay.until('it is offered', () => bob.offers.length === 1);
  bob.answer(1, 'accept');
  await relay.until('some of it has come', () => (bob.receiving(1)?.bytes ?? 0) >= has);
  expect(bob.receiving(1)!.state).toBe('accepted');
}

const annIsTold = (state: string) => () => ann.sending(1).deliveries.some((d) => d.state === state);
const bobHas = (state: string) => () => bob.receiving(1)?.state === state;

/** Holds the flow up once so much has come, so that something can happen in the middle. */
async function halted(size: number): Promise<void> {
  await underWay(size, 1);
  relay.flowing = false;
  await relay.until('the credit is used up', () => !ann.objects.waiting);
}

describe('from one to another', () => {
  test.each([0, 1, 511, 16_385, 262_144, 262_145, 3_000_001])('%i bytes arrive whole, and both ends are told', async (size) => {
    ann.send(1, fileOf(size));
    await relay.until('it is offered', () => bob.offers.length === 1);
    const info = { from: ann.id, fromName: 'Ann', name: 'plan.pdf', size, type: 'application/pdf' };
    expect(bob.offers[0]).toMatchObject({ info, state: 'offered' });
    bob.answer(1, 'accept');
    await relay.until('it is there', annIsTold('done'));
    expect(ann.sending(1).deliveries).toEqual([{ member: bob.id, name: 'Bob', state: 'done', bytes: size }]);
    await same(bob.receiving(1)?.file, size);
    expect(bob.receiving(1)?.file?.type).toBe('application/pdf');
    expect(relay.bytesIn).toBe(size);
    expect(relay.streams.size).toBe(0);
  });

  test('a receiver that stands still has the sender wait, with no more read than its credit; the others go on', async () => {
    const cyd = relay.member('Cyd');
    ann.send(1, fileOf(2_000_000));
    await relay.until('it is offered', () => bob.offers.length + cyd.offers.length === 2);
    cyd.answer(1, 'accept');
    await relay.until('one has it', annIsTold('done'));
    expect(ann.sending(1).deliveries.map(({ name, state }) => [name, state]).sort()).toEqual([['Bob', 'offered'], ['Cyd', 'done']]);
    relay.flowing = false;
    bob.answer(1, 'accept');
    await relay.until('the credit is used up', () => relay.bytesIn === 2_000_000 + 262_144);
    expect(ann.objects.waiting).toBe(false);
    relay.flowing = true;
    await relay.until('the other has it, too', () => ann.sending(1).deliveries.every(({ state }) => state === 'done'));
  });

  test('to one alone, nobody else is asked, and who comes later neither', async () => {
    const cyd = relay.member('Cyd');
    ann.send(1, fileOf(10), 'for-cyd.txt', cyd.id);
    relay.member('Dee');
    await relay.until('it is offered', () => cyd.offers.length === 1);
    expect(bob.offers).toEqual([]);
    expect(ann.sending(1).deliveries.map(({ name }) => name)).toEqual(['Cyd']);
    ann.send(2, fileOf(10), 'x', 'm-99');
    expect(ann.sending(2).over?.code).toBe('no-such-member');
  });

  test('who comes while it is offered is asked as well', async () => {
    ann.send(1, fileOf(10));
    const cyd = relay.member('Cyd');
    await relay.until('it is offered', () => cyd.offers.length === 1);
    cyd.answer(1, 'accept');
    await relay.until('it is there', annIsTold('done'));
  });

  test('progress is told in steps, not for every piece', async () => {
    await underWay(3_000_000, 1);
    await relay.until('it is there', annIsTold('done'));
    expect(ann.posted.filter((m) => m.is === 'sending').length).toBeLessThan(200);
  });
});

describe('refusals', () => {
  test('a receiver that declines concerns nobody else, and is not asked again', async () => {
    ann.send(1, fileOf(10));
    await relay.until('it is offered', () => bob.offers.length === 1);
    bob.answer(1, 'decline');
    await relay.until('the sender is told', annIsTold('declined'));
    expect(bob.receiving(1)).toMatchObject({ state: 'declined', why: undefined });
    bob.answer(1, 'accept');
    relay.cut(ann);
    relay.resume(ann);
    relay.cut(bob);
    relay.resume(bob);
    relay.pump();
    expect([bob.offers.length, relay.streams.size]).toEqual([1, 0]);
  });

  test('what the relay refuses is told with its reason, once, and a stream that is over bothers nobody', () => {
    ann.send(1, fileOf(10));
    relay.heard = [];
    expect(ann.objects.control({ type: 'error', req: 1, code: 'no-grant', text: 'the token does not grant data', fatal: false }, 0)).toBe(true);
    expect(ann.sending(1).deliveries[0]).toMatchObject({ state: 'failed', why: { code: 'no-grant' } });
    expect(ann.objects.control({ type: 'error', req: 1, code: 'no-grant', text: '', fatal: false }, 0)).toBe(false);
    expect(ann.objects.control({ type: 'error', req: 0, code: 'no-such-stream', text: '', fatal: false }, 0)).toBe(true);
  });

  test('more than a page takes is declined by name, and so is what breaks the rules', async () => {
    const say = (n: number, fields: object): void => {
      bob.inbox.push({ type: 'offered', stream: n, object: `o-${n}`, from: ann.id, name: 'x', size: 1, ...fields });
    };
    say(101, { size: MAX_RECEIVED_BYTES + 1 });
    const bad = [{ name: '' }, { name: 'a/b' }, { name: '..' }, { name: 'a\u202eb' }, { name: 'ü'.repeat(128) }, { size: 2 ** 41 }, { mime: 'x'.repeat(129) }, { object: '' }];
    for (const [i, fields] of bad.entries()) say(110 + i, fields);
    relay.pump();
    expect(bob.offers.map(({ state, why }) => [state, why?.code])).toEqual([['declined', 'too-large']]);
    expect(bob.posted.flatMap((m) => (m.is === 'notice' ? [m.code] : []))).toEqual(bad.map(() => 'bad-object'));
    expect(bob.refused.filter((m) => m.type === 'cancel' && m.reason === 'declined').length).toBe(bad.length + 1);
  });

  test('offers wait for an answer up to a number, and what was answered is forgotten some time', () => {
    const offer = (n: number): void => {
      bob.inbox.push({ type: 'offered', stream: n, object: `o-${n}`, from: ann.id, name: `${n}.txt`, size: 1 });
      relay.pump();
    };
    for (let n = 1; n <= 40; n++) offer(1_000 + n);
    expect(bob.offers.length).toBe(32);
    expect(bob.posted.filter((m) => m.is === 'notice' && m.code === 'too-many-offers').length).toBe(8);
    for (let n = 1; n <= 600; n++) {
      bob.answer(bob.offers.at(-1)!.key, 'decline');
      offer(2_000 + n);
    }
    expect(bob.offers.length).toBe(632);
    expect((bob.objects as unknown as { receivings: { list: unknown[] } }).receivings.list.length).toBeLessThanOrEqual(256);
  });

  test('64 objects are offered at a time, and the oldest goes that nobody takes any more', async () => {
    ann.send(1, fileOf(10));
    await relay.until('it is offered', () => bob.offers.length === 1);
    bob.answer(1, 'decline');
    await relay.until('it is declined', annIsTold('declined'));
    for (let key = 2; key <= 65; key++) ann.send(key, fileOf(10), 'more', bob.id);
    expect(ann.sending(1).over?.code).toBe('too-many-objects');
    expect(ann.sending(65).over).toBeUndefined();
    ann.send(66, fileOf(10));
    expect(ann.sending(66).over?.code).toBe('too-many-objects');
  });

  test('a member has 64 streams under way at most', () => {
    for (let i = 0; i < 70; i++) relay.member(`guest ${i}`);
    relay.heard = [];
    ann.send(1, fileOf(10));
    const { deliveries } = ann.sending(1);
    expect(deliveries.filter(({ state }) => state === 'offered').length).toBe(64);
    expect(deliveries.at(-1)).toMatchObject({ state: 'failed', why: { code: 'too-many-streams' } });
  });
});

describe('giving up', () => {
  test.each(['cancel-object', 'answer-offer'] as const)('in the middle, by %s: the other end is told, and nothing is left', async (by) => {
    await halted(3_000_000);
    if (by === 'cancel-object') ann.objects.handle({ do: by, key: 1, member: undefined });
    else bob.answer(1, 'cancel');
    relay.flowing = true;
    await relay.until('both are told', () => bobHas('failed')() && annIsTold('failed')());
    const [here, there] = [{ code: 'cancelled-here' }, { code: 'cancelled' }];
    expect(ann.sending(1).deliveries[0]!.why).toMatchObject(by === 'cancel-object' ? here : there);
    expect(bob.receiving(1)!.why).toMatchObject(by === 'cancel-object' ? there : here);
    expect([relay.streams.size, ann.objects.waiting]).toEqual([0, false]);
  });

  test('one receiver, and not the others', async () => {
    const cyd = relay.member('Cyd');
    ann.send(1, fileOf(10));
    await relay.until('it is offered', () => bob.offers.length + cyd.offers.length === 2);
    ann.objects.handle({ do: 'cancel-object', key: 1, member: bob.id });
    await relay.until('he is told', bobHas('failed'));
    cyd.answer(1, 'accept');
    await relay.until('she has it', annIsTold('done'));
  });

  test('an offer that is taken back while the connection is lost is taken back after it', async () => {
    ann.send(1, fileOf(10));
    await relay.until('it is offered', () => bob.offers.length === 1);
    relay.cut(ann);
    ann.objects.handle({ do: 'cancel-object', key: 1, member: undefined });
    relay.resume(ann);
    await relay.until('he is told', bobHas('failed'));
    expect(relay.streams.size).toBe(0);
  });

  test('an answer from before the sender gave up finds nothing', async () => {
    ann.send(1, fileOf(10));
    await relay.until('it is offered', () => bob.offers.length === 1);
    ann.objects.handle({ do: 'cancel-object', key: 1, member: undefined });
    bob.answer(1, 'accept');
    await relay.until('he is told', bobHas('failed'));
  });

  test('a file that cannot be read any more fails by name at both ends', async () => {
    const file = fileOf(600_000);
    const broken = { size: file.size, type: '', slice: (a: number, b: number) => ({ arrayBuffer: () => (a < 200_000 ? file.slice(a, b).arrayBuffer() : Promise.reject(new Error('it was changed'))) }) };
    ann.send(1, broken as unknown as Blob);
    await relay.until('it is offered', () => bob.offers.length === 1);
    bob.answer(1, 'accept');
    await relay.until('both are told', () => bobHas('failed')() && ann.sending(1).over !== undefined);
    expect(ann.sending(1).over).toMatchObject({ code: 'unreadable', text: 'it could not be read: it was changed' });
    expect(bob.receiving(1)!.why?.code).toBe('failed');
  });

  test('what came is not what was sent: the hash says so', async () => {
    await halted(400_000);
    const [stream] = [...relay.streams.values()];
    stream!.queue[3]!.payload[7]! ^= 1;
    relay.flowing = true;
    await relay.until('both are told', () => bobHas('failed')() && annIsTold('failed')());
    expect([bob.receiving(1)!.why?.code, ann.sending(1).deliveries[0]!.why?.code]).toEqual(['hash', 'hash']);
    expect(bob.receiving(1)!.file).toBeUndefined();
  });
});

describe('over a reconnect', () => {
  test.each(['sender', 'receiver'] as const)('of the %s in the middle: it goes on where it was consumed', async (who) => {
    await halted(3_000_000);
    const lost = who === 'sender' ? ann : bob;
    relay.cut(lost);
    relay.flowing = true;
    relay.resume(lost);
    await relay.until('it is there', annIsTold('done'));
    await same(bob.receiving(1)?.file, 3_000_000);
    if (who === 'receiver') expect(relay.accepts.at(-1)).toBeGreaterThan(0);
    expect(relay.bytesIn).toBeLessThan(3_000_000 + 262_145);
  });

  test('again and again, of both, and nothing is sent that had been consumed', async () => {
    await underWay(4_000_000, 1);
    for (let i = 0; i < 12; i++) {
      const lost = i % 2 === 0 ? ann : bob;
      relay.cut(lost);
      relay.pump();
      relay.resume(lost);
      const had = bob.receiving(1)!.bytes;
      await relay.until('it goes on', () => bob.receiving(1)!.bytes > had || bobHas('done')());
    }
    await relay.until('it is there', annIsTold('done'));
    await same(bob.receiving(1)?.file, 4_000_000);
    expect(relay.accepts).toEqual([...relay.accepts].sort((a, b) => a - b));
  });

  test('a relay that was started anew knows nothing: it goes on under other ids, without a second receiver', async () => {
    await halted(3_000_000);
    const had = bob.receiving(1)!.bytes;
    relay.restart();
    relay.flowing = true;
    await relay.until('it is there', annIsTold('done'));
    await same(bob.receiving(1)?.file, 3_000_000);
    expect(ann.sending(1).deliveries).toEqual([{ member: bob.id, name: 'Bob', state: 'done', bytes: 3_000_000 }]);
    expect(bob.offers.length).toBe(1);
    expect(relay.accepts.at(-1)).toBeGreaterThanOrEqual(had);
  });

  test('an offer that nobody has answered survives both, and is asked once', async () => {
    ann.send(1, fileOf(10), 'plan.pdf', bob.id);
    await relay.until('it is offered', () => bob.offers.length === 1);
    relay.cut(bob);
    bob.answer(1, 'accept');
    relay.resume(bob);
    await relay.until('it is there', annIsTold('done'));
    ann.send(2, fileOf(20), 'b', bob.id);
    await relay.until('it is offered', () => bob.offers.length === 2);
    relay.restart();
    await relay.until('it is offered to the new id', () => relay.streams.size > 0);
    bob.answer(2, 'accept');
    await relay.until('it is there', () => ann.sending(2).deliveries.some(({ state }) => state === 'done'));
    expect(bob.offers.length).toBe(2);
  });

  test('the last word is said again when it was lost', async () => {
    await halted(100_000);
    relay.flowing = true;
    const seen = relay.accepts.length;
    await relay.until('it is there', bobHas('done'));
    ann.inbox = [];
    relay.streams.clear();
    relay.restart();
    await relay.until('the sender is told', () => annIsTold('done')() && relay.streams.size === 0 && relay.accepts.length > seen);
    expect(relay.accepts.at(-1)).toBe(100_000);
    expect(relay.bytesIn).toBe(100_000);
  });

  test('who does not come back after a restart is given up after 30 s', async () => {
    await halted(3_000_000);
    relay.restart([ann]);
    relay.now += 29_000;
    ann.objects.tick(relay.now);
    expect(annIsTold('accepted')()).toBe(true);
    relay.now += 2_000;
    ann.objects.tick(relay.now);
    expect(ann.sending(1).deliveries[0]).toMatchObject({ state: 'failed', why: { code: 'left' } });
  });

  test('a sender that leaves is waited for 30 s, and an open offer of it is offered again when it comes back', async () => {
    await halted(3_000_000);
    ann.send(2, fileOf(10), 'b');
    await relay.until('it is offered', () => bob.offers.length === 2);
    relay.leave(ann);
    relay.pump();
    expect(bob.receiving(2)).toMatchObject({ state: 'failed', why: { code: 'left' } });
    expect(bobHas('accepted')()).toBe(true);
    relay.now += 31_000;
    bob.objects.tick(relay.now);
    expect(bob.receiving(1)).toMatchObject({ state: 'failed', why: { code: 'left' } });
    relay.flowing = true;
    ann.id = 'm-77';
    relay.members.push(ann);
    ann.online = true;
    ann.objects.joined({ type: 'joined', room: '', resumed: false, resume: '', graceMs: 0, grants: [], self: { id: 'm-77', name: 'Ann', state: 'online', tracks: [] }, members: [{ id: bob.id, name: 'Bob', state: 'online', tracks: [] }] }, relay.now);
    await relay.until('it is offered again', () => bob.receiving(2)?.state === 'offered');
    bob.answer(2, 'accept');
    await relay.until('it is there', () => bob.receiving(2)?.state === 'done');
  });

  test('somebody else who offers under the same id is declined', async () => {
    await halted(3_000_000);
    bob.inbox.push({ type: 'offered', stream: 77, object: [...relay.streams.values()][0]!.about.object, from: 'm-66', name: 'plan.pdf', size: 3_000_000 });
    relay.pump();
    expect(bob.refused.at(-1)).toMatchObject({ type: 'cancel', stream: 77, reason: 'declined' });
    expect(bobHas('accepted')()).toBe(true);
  });
});

test('the room is over: all that was open fails by name', async () => {
  await halted(3_000_000);
  ann.objects.close();
  bob.objects.close();
  expect([ann.sending(1).over?.code, ann.sending(1).deliveries[0]!.state, bob.receiving(1)!.why?.code]).toEqual(['closed', 'failed', 'closed']);
});
