// Tries whether one's own uplink has become better (docs/protocol.md section 5.7): what is sent over it while the picture is small
// is too little to show that, and a larger picture for a trial would be seen. Pure; times in ms.

import { KIND_PADDING } from '../wire/wire';

/** Calm for so long before it is tried, and then ever more rarely. */
const CALM_MS = 2_000;
const FIRST_MS = 2_000;
const MOST_MS = 10_000;
/** As many messages, of so many bytes. */
const COUNT = 6;
const SIZE = 1_200;
/** On a link that is known to take less, sound would wait for it too long, bytes a second. */
const LEAST_CAPACITY = 160_000 / 8;
/** Of the window, what may be under way. */
const IDLE = 1 / 4;

/** How things stand on the uplink. */
export interface Standing {
  /** Whether less is sent than others would take. */
  lowered: boolean;
  /** How long nothing has waited too long. */
  calm: number;
  waiting: boolean;
  inFlight: number;
  window: number;
  /** Bytes a second that the path takes where it was seen full of late, else 0. */
  capacity: number;
}

export class Padding {
  private at = -Infinity;
  private wait = FIRST_MS;

  /** The messages that are to be sent now, also beyond the window: that is what shows something. */
  due({ lowered, calm, waiting, inFlight, window, capacity }: Standing, now: number): Uint8Array[] {
    if (!lowered || calm < CALM_MS) this.wait = FIRST_MS;
    if (!lowered || calm < CALM_MS || now - this.at < this.wait) return [];
    if (waiting || inFlight > window * IDLE || (capacity > 0 && capacity < LEAST_CAPACITY)) return [];
    this.at = now;
    this.wait = Math.min(2 * this.wait, MOST_MS);
    const message = new Uint8Array(SIZE);
    message[0] = KIND_PADDING;
    return Array.from({ length: COUNT }, () => message);
  }
}
