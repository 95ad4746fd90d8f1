// Objects as an application sees them: files, and whatever else has a size and goes to others (docs/protocol.md section 18).

/** What a page takes at most of one object, bytes: it is kept as a Blob until it is saved. What is larger is declined with 'too-large'. */
export const MAX_RECEIVED_BYTES = 2 ** 30;

/**
 * offered: nobody has answered. accepted: it is under way. done: all of it is there, and its hash is right. declined: the receiver
 * does not want it. failed: see why.
 */
export type TransferState = 'offered' | 'accepted' | 'done' | 'declined' | 'failed';

/**
 * Why a transfer failed, or an object is not offered any more. Codes: 'cancelled-here' and 'cancelled' (given up on this side, or on
 * the other), 'left' (the other side is gone), 'hash' (what came is not what was sent), 'failed' (the other side could not read or
 * keep it), 'unreadable' (this side could not read it, for instance since it was changed), 'no-space' (this side could not keep it),
 * 'closed' (the room is over), 'too-large', 'too-many-offers', 'too-many-objects', and those of docs/protocol.md section 12.
 */
export interface TransferWhy {
  code: string;
  text: string;
}

/** How an object stands with one receiver. */
export interface Delivery {
  member: string;
  name: string;
  state: TransferState;
  /** Bytes that the receiver has. */
  bytes: number;
  why?: TransferWhy;
}

export interface SendOptions {
  /** The member it is for; without it, everybody who is in the room or comes while it is offered. */
  to?: string;
  /** By default that of the File. */
  name?: string;
}

/**
 * An object that this member offers. It goes on by itself after a lost connection, and after a restart of the relay.
 *
 *     const sending = room.send(input.files[0]);
 *     sending.on('change', () => {
 *       for (const { name, state, bytes, why } of sending.deliveries) console.log(name, state, bytes / sending.size, why?.code);
 *     });
 *     stop.onclick = () => sending.cancel();
 */
export interface Sending {
  readonly name: string;
  readonly size: number;
  /** Whether it is still offered. */
  readonly open: boolean;
  /** Why it is not. */
  readonly why: TransferWhy | undefined;
  readonly deliveries: readonly Delivery[];
  /** Told at most seven times a second of progress, and at once of everything else. */
  on(event: 'change', handler: (sending: Sending) => void): () => void;
  /** Takes the offer back, and gives up what is under way; with a member, for that one alone. */
  cancel(member?: string): void;
}

/**
 * An object that another member offers to this one.
 *
 *     room.on('offer', async (offer) => {
 *       if (offer.state !== 'offered' || offer.size > 1e6) return offer.decline();
 *       const receiving = offer.accept();
 *       receiving.on('progress', (bytes) => console.log(bytes / offer.size));
 *       const file = await receiving.file; // a File, with the sender's name and type
 *     });
 */
export interface Offer {
  /** Member id and display name. */
  readonly from: string;
  readonly fromName: string;
  /** The name of a file, never a path. */
  readonly name: string;
  readonly size: number;
  /** What the sender says that it is: a page that shows it must not trust it. */
  readonly type: string;
  /** One that cannot be taken comes declined, with the reason. */
  readonly state: TransferState;
  readonly why: TransferWhy | undefined;
  /** One that had failed since its sender was gone can be offered anew: then it is 'offered' again. */
  on(event: 'change', handler: (offer: Offer) => void): () => void;
  /** Takes it. Nothing happens for what is not offered any more: then the result is its reason. */
  accept(): Receiving;
  decline(): void;
}

/** An object that comes. Over a lost connection it goes on where it was. */
export interface Receiving {
  readonly bytes: number;
  on(event: 'progress', handler: (bytes: number) => void): () => void;
  cancel(): void;
  /** All of it, once its hash is right. Rejects with an ObjectError. */
  readonly file: Promise<File>;
}

/** Thrown by send() for what cannot be offered, and by a Receiving that fails: code as in TransferWhy. */
export class ObjectError extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(text);
    this.name = 'ObjectError';
    this.code = code;
  }
}
