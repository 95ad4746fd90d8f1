import { beforeEach, expect, test } from 'vitest';
import { ObjectError } from './api';
import type { Offer, Sending } from './api';
import type { ObjectsToWorker } from './bridge';
import { RoomObjects } from './room-objects';

let posted: ObjectsToWorker[];
let offers: Offer[];
let objects: RoomObjects;

beforeEach(() => {
  posted = [];
  offers = [];
  objects = new RoomObjects((m) => posted.push(m), (offer) => offers.push(offer));
});

const info = { from: 'm-2', fromName: 'Ann', name: 'plan.pdf', size: 6, type: 'application/pdf' };

function offered(key = 1): Offer {
  objects.told({ is: 'offer', key, info, state: 'offered', why: undefined });
  return offers.at(-1)!;
}

test('a file goes to the worker as it is, under its name or another', () => {
  const file = new File(['abc'], 'a.txt');
  expect(objects.offer(file, {}, false)).toMatchObject({ name: 'a.txt', size: 3, open: true, deliveries: [] });
  objects.offer(new Blob(['x']), { to: 'm-2' }, false);
  objects.offer(file, { name: 'b.txt' }, false);
  expect(posted).toMatchObject([
    { do: 'send-object', key: 1, file, name: 'a.txt', to: undefined },
    { do: 'send-object', key: 2, name: 'file', to: 'm-2' },
    { do: 'send-object', key: 3, file, name: 'b.txt' },
  ]);
});

test('what cannot be offered is said so at once', () => {
  for (const name of ['a/b', '..', 'x'.repeat(256), 'a\nb']) expect(() => objects.offer(new Blob([]), { name }, false)).toThrow(ObjectError);
  expect(() => objects.offer(new Blob([]), {}, true)).toThrow(/closed/);
  expect(posted).toEqual([]);
});

test('a sending tells its deliveries, and takes no orders once it is over', () => {
  const sending = objects.offer(new File(['abc'], 'a.txt'), {}, false);
  const told: string[] = [];
  sending.on('change', ({ deliveries, open }: Sending) => told.push(`${deliveries[0]?.state} ${open}`));
  const deliveries = [{ member: 'm-2', name: 'Ann', state: 'accepted' as const, bytes: 1 }];
  objects.told({ is: 'sending', key: 1, over: undefined, deliveries });
  sending.cancel('m-2');
  objects.told({ is: 'sending', key: 1, over: { code: 'cancelled-here', text: '' }, deliveries });
  sending.cancel();
  expect(told).toEqual(['accepted true', 'accepted false']);
  expect(posted.slice(1)).toEqual([{ do: 'cancel-object', key: 1, member: 'm-2' }]);
});

test('what was accepted becomes a File with name and type', async () => {
  const offer = offered();
  const progress: number[] = [];
  const receiving = offer.accept();
  receiving.on('progress', (bytes) => progress.push(bytes));
  expect(posted).toEqual([{ do: 'answer-offer', key: 1, answer: 'accept' }]);
  objects.told({ is: 'receiving', key: 1, state: 'accepted', why: undefined, bytes: 0 });
  objects.told({ is: 'receiving', key: 1, state: 'accepted', why: undefined, bytes: 3 });
  objects.told({ is: 'receiving', key: 1, state: 'done', why: undefined, bytes: 6, file: new Blob(['abcdef']) });
  const file = await receiving.file;
  expect([file.name, file.type, await file.text(), progress]).toEqual(['plan.pdf', 'application/pdf', 'abcdef', [3, 6]]);
});

test('what fails rejects with its reason, also when it is accepted too late, and an open offer fails with the room', async () => {
  const [one, two, three] = [offered(1), offered(2), offered(3)];
  const file = one.accept().file;
  objects.told({ is: 'receiving', key: 1, state: 'accepted', why: undefined, bytes: 0 });
  objects.told({ is: 'receiving', key: 1, state: 'failed', why: { code: 'hash', text: 'differs' }, bytes: 6 });
  await expect(file).rejects.toMatchObject({ name: 'ObjectError', code: 'hash' });
  objects.told({ is: 'receiving', key: 2, state: 'failed', why: { code: 'left', text: '' }, bytes: 0 });
  await expect(two.accept().file).rejects.toMatchObject({ code: 'left' });
  objects.close();
  expect(three).toMatchObject({ state: 'failed', why: { code: 'closed' } });
});
