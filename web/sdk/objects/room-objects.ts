// Objects on the side of the page: what the worker tells, as an application sees it.

import { Emitter } from '../emitter';
import { newSource } from '../session/source';
import { ObjectError } from './api';
import type { Delivery, Offer, Receiving, Sending, SendOptions, TransferState, TransferWhy } from './api';
import type { ObjectsToPage, ObjectsToWorker, OfferInfo } from './bridge';
import { faultOf } from './rules';

type Post = (message: ObjectsToWorker) => void;
type Told<K extends ObjectsToPage['is']> = Extract<ObjectsToPage, { is: K }>;

const CLOSED: TransferWhy = { code: 'closed', text: 'the room is closed' };
/** What a Blob that has no name goes by. */
const NAMELESS = 'file';
/** Offers that are remembered; of those that are over the oldest goes first. */
const MAX_OFFERS = 256;

class RoomSending implements Sending {
  why: TransferWhy | undefined;
  deliveries: readonly Delivery[] = [];
  private readonly events = new Emitter<{ change: Sending }>();

  constructor(
    private readonly key: number,
    readonly name: string,
    readonly size: number,
    private readonly post: Post,
  ) {}

  get open(): boolean {
    return this.why === undefined;
  }

  on(event: 'change', handler: (sending: Sending) => void): () => void {
    return this.events.on(event, handler);
  }

  cancel(member?: string): void {
    if (this.open) this.post({ do: 'cancel-object', key: this.key, member });
  }

  told({ over, deliveries }: Pick<Told<'sending'>, 'over' | 'deliveries'>): void {
    this.why = over;
    this.deliveries = deliveries;
    this.events.emit('change', this);
  }
}

/** An offer, and what comes of it. */
class RoomOffer implements Offer, Receiving {
  readonly from: string;
  readonly fromName: string;
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly file: Promise<File>;
  state: TransferState = 'offered';
  why: TransferWhy | undefined;
  bytes = 0;
  private readonly events = new Emitter<{ change: Offer; progress: number }>();
  private settle!: { resolve: (file: File) => void; reject: (error: ObjectError) => void };

  constructor(
    private readonly key: number,
    info: OfferInfo,
    private readonly post: Post,
  ) {
    ({ from: this.from, fromName: this.fromName, name: this.name, size: this.size, type: this.type } = info);
    this.file = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    // Who does not ask for it need not handle that it failed.
    this.file.catch(() => undefined);
  }

  on(event: 'change' | 'progress', handler: ((offer: Offer) => void) | ((bytes: number) => void)): () => void {
    return this.events.on(event, handler as (value: Offer | number) => void);
  }

  accept(): Receiving {
    if (this.state === 'offered') this.post({ do: 'answer-offer', key: this.key, answer: 'accept' });
    else if (this.state === 'declined' || this.state === 'failed') this.reject();
    return this;
  }

  decline(): void {
    if (this.state === 'offered') this.post({ do: 'answer-offer', key: this.key, answer: 'decline' });
  }

  cancel(): void {
    if (!this.over) this.post({ do: 'answer-offer', key: this.key, answer: 'cancel' });
  }

  told({ state, why, bytes, file }: Omit<Told<'receiving'>, 'is' | 'key'>): void {
    const accepted = this.state === 'accepted';
    const moved = bytes !== this.bytes;
    Object.assign(this, { state, why, bytes });
    if (file) this.settle.resolve(new File([file], this.name, { type: this.type }));
    else if (accepted && state !== 'accepted') this.reject();
    if (moved) this.events.emit('progress', bytes);
    this.events.emit('change', this);
  }

  get over(): boolean {
    return this.state !== 'offered' && this.state !== 'accepted';
  }

  private reject(): void {
    const { code, text } = this.why ?? { code: 'declined', text: 'it was declined' };
    this.settle.reject(new ObjectError(code, text));
  }

  end(): void {
    if (!this.over) this.told({ state: 'failed', why: CLOSED, bytes: this.bytes });
  }
}

export class RoomObjects {
  private readonly sendings = new Map<number, RoomSending>();
  private readonly offers = new Map<number, RoomOffer>();
  private keys = 0;

  constructor(
    private readonly post: Post,
    private readonly emit: (offer: Offer) => void,
  ) {}

  offer(file: Blob & { readonly name?: string }, { to, name = file.name || NAMELESS }: SendOptions, closed: boolean): Sending {
    const { size, type } = file;
    const fault = faultOf({ object: newSource(), name, size, type });
    if (fault) throw new ObjectError('bad-object', fault);
    if (closed) throw new ObjectError(CLOSED.code, CLOSED.text);
    const key = ++this.keys;
    const sending = new RoomSending(key, name, size, this.post);
    this.sendings.set(key, sending);
    this.post({ do: 'send-object', key, file, name, to });
    return sending;
  }

  told(message: ObjectsToPage): void {
    switch (message.is) {
      case 'sending':
        this.sendings.get(message.key)?.told(message);
        if (message.over) this.sendings.delete(message.key);
        return;
      case 'offer':
        return this.offered(message);
      case 'receiving':
        this.offers.get(message.key)?.told(message);
        if (message.state === 'done') this.offers.delete(message.key);
    }
  }

  private offered({ key, info, state, why }: Told<'offer'>): void {
    const offer = new RoomOffer(key, info, this.post);
    Object.assign(offer, { state, why });
    const over = this.offers.size < MAX_OFFERS ? undefined : [...this.offers].find(([, old]) => old.over);
    if (over) this.offers.delete(over[0]);
    this.offers.set(key, offer);
    this.emit(offer);
  }

  /** The room is over. */
  close(): void {
    for (const sending of this.sendings.values()) sending.told({ over: CLOSED, deliveries: [...sending.deliveries] });
    for (const offer of this.offers.values()) offer.end();
    this.sendings.clear();
    this.offers.clear();
  }
}
