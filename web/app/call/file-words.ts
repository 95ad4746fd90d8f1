// What is said of files: sizes, who has them, and what went wrong: what happened, why, what to do.

import { MAX_RECEIVED_BYTES } from '../../sdk/api';
import type { Delivery, TransferWhy } from '../../sdk';
import { group } from './announce';

const UNITS = ['kB', 'MB', 'GB', 'TB'];

/** "640 bytes", "7.3 kB", "12 MB". */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  let size = bytes;
  let unit = -1;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}

const SHOWN = 80;
const TAIL = 20;

/** A name as it is shown: of a long one the middle goes, never the end, which says what it is. */
export function shortName(name: string): string {
  const letters = [...name];
  return letters.length <= SHOWN ? name : `${letters.slice(0, SHOWN - TAIL).join('')}…${letters.slice(-TAIL).join('')}`;
}

/** How much of it there is, in whole percent; 100 only when it is all. */
export function percent(bytes: number, size: number): number {
  return size === 0 ? 100 : Math.floor((100 * bytes) / size);
}

export const progressText = (bytes: number, size: number): string => `${percent(bytes, size)} %, ${sizeText(bytes)} of ${sizeText(size)}`;

export const doneText = (names: readonly string[]): string => `${group(names)} ${names.length === 1 ? 'has' : 'have'} it`;

/** Why somebody else's file did not come. */
export function failureOf({ code, text }: TransferWhy): string {
  switch (code) {
    case 'cancelled-here':
      return 'You cancelled it.';
    case 'cancelled':
      return 'The sender took it back. Ask for it again if you still want it.';
    case 'left':
      return 'The sender has left. Ask for it again when they are back.';
    case 'hash':
      return 'It arrived damaged and was thrown away. Ask for it again.';
    case 'failed':
      return 'The sender could not read it any more. Ask for it again.';
    case 'no-space':
      return 'This browser could not keep it, maybe for want of space. Make room, then ask for it again.';
    case 'too-large':
      return `It is too large for a page, which takes up to ${sizeText(MAX_RECEIVED_BYTES)}. Take it with “landline receive”, or ask for it in parts.`;
    case 'closed':
      return 'The call ended before it was there.';
    default:
      return `It did not come: ${text} (${code}).`;
  }
}

/** Why a file of one's own is not offered any more. */
export function endOf({ code, text }: TransferWhy): string {
  switch (code) {
    case 'cancelled-here':
      return 'You took it back.';
    case 'unreadable':
      return 'This browser cannot read it any more: it was changed, moved or deleted. Choose it again.';
    case 'too-many-objects':
      return 'It is not offered: you offer as many files as one may. Stop offering some, then send it again.';
    case 'closed':
      return 'The call ended before everybody had it.';
    default:
      return `It is not offered: ${text} (${code}).`;
  }
}

/** Why somebody did not get a file of one's own, behind their name. */
function missOf({ code, text }: TransferWhy): string {
  switch (code) {
    case 'cancelled':
      return 'cancelled it.';
    case 'left':
      return 'left before it was there. Whoever comes back is asked again.';
    case 'hash':
      return 'got something else than was sent. Send it again.';
    case 'failed':
      return 'could not keep it, maybe for want of space.';
    case 'too-many-streams':
      return 'was not asked: too many transfers are under way. Wait for some to end, then send it again.';
    case 'no-grant':
      return 'was not asked: your invitation does not let you send files. Ask for one that does.';
    default:
      return `was not reached: ${text} (${code}).`;
  }
}

/** Why a file was not even offered. */
export function refusalOf(name: string, { code, message }: { code: string; message: string }): string {
  if (code === 'closed') return `${name} was not offered: the call is over.`;
  return `${name} was not offered: ${message}. Rename it, then choose it again.`;
}

export interface Standing {
  key: string;
  text: string;
  tone: 'quiet' | 'good' | 'bad';
}

/** How a file of one's own stands with those who do not get it right now. over: why it is not offered any more; it is told once. */
export function standings(deliveries: readonly Delivery[], over?: TransferWhy): Standing[] {
  const names = (state: Delivery['state']): string[] => deliveries.filter((d) => d.state === state).map(({ name }) => name);
  const [asked, done, declined] = [names('offered'), names('done'), names('declined')];
  const list: Standing[] = [];
  if (done.length > 0) list.push({ key: 'done', text: `${doneText(done)}.`, tone: 'good' });
  if (asked.length > 0) list.push({ key: 'asked', text: `Waiting for ${group(asked)} to answer.`, tone: 'quiet' });
  if (declined.length > 0) list.push({ key: 'declined', text: `${group(declined)} declined it.`, tone: 'quiet' });
  for (const { member, name, state, why } of deliveries) {
    if (state === 'failed' && why && why.code !== over?.code) list.push({ key: member, text: `${name} ${missOf(why)}`, tone: 'bad' });
  }
  return list;
}
