// Files that go through the chat: what the SDK tells of them, as lines of the log.

import { ObjectError } from '../../sdk/api';
import type { ChatMessage, Delivery, Offer, Receiving, Room, Sending, TransferState, TransferWhy } from '../../sdk';
import { failureOf, refusalOf, sizeText } from './file-words';

export interface FileLine {
  key: string;
  /** The stamp of the newest chat message before it, 0 for none. */
  after: number;
  /** This machine's clock, ms since 1970. */
  at: number;
  own: boolean;
  /** Who offers it. */
  from: string;
  name: string;
  size: number;
  /** Of one's own file: offered or failed. */
  state: TransferState;
  why: TransferWhy | undefined;
  bytes: number;
  deliveries: readonly Delivery[];
  /** Where it can be saved from. */
  link: string | undefined;
}

export interface FilesHost {
  changed(lines: readonly FileLine[]): void;
  newestChat(): number;
  /** Somebody offers a file; open: it can be accepted. */
  offered(text: string, open: boolean): void;
  /** Something that a screen reader should say. */
  said(text: string): void;
  failed(text: string): void;
}

/** Lines that are kept; of those that are over the oldest goes first, with what was received. */
const KEPT = 100;

interface Controls {
  accept?: () => void;
  decline?: () => void;
  cancel: () => void;
}

/** The files of one call. close() forgets them. */
export class Files {
  private lines: readonly FileLine[] = [];
  private readonly controls = new Map<string, Controls>();
  private readonly off: () => void;
  private count = 0;

  constructor(
    private readonly room: Room,
    private readonly host: FilesHost,
  ) {
    this.off = room.on('offer', (offer) => this.offered(offer));
  }

  /** Offers files to everyone. */
  offer(files: readonly File[]): void {
    for (const file of files) {
      try {
        this.sending(this.room.send(file));
      } catch (error) {
        if (!(error instanceof ObjectError)) throw error;
        this.host.failed(refusalOf(file.name, error));
      }
    }
  }

  accept(key: string): void {
    this.controls.get(key)?.accept?.();
  }

  decline(key: string): void {
    this.controls.get(key)?.decline?.();
  }

  cancel(key: string): void {
    this.controls.get(key)?.cancel();
  }

  close(): void {
    this.off();
    for (const { link } of this.lines) if (link) URL.revokeObjectURL(link);
  }

  private add(line: Pick<FileLine, 'own' | 'from' | 'name' | 'size' | 'state' | 'why'>, controls: Controls): string {
    const key = `file-${++this.count}`;
    this.controls.set(key, controls);
    const fresh = { ...line, key, after: this.host.newestChat(), at: Date.now(), bytes: 0, deliveries: [], link: undefined };
    this.lines = [...this.lines, fresh];
    const old = this.lines.length > KEPT ? this.lines.find((l) => isOver(l)) : undefined;
    if (old) this.forget(old);
    this.host.changed(this.lines);
    return key;
  }

  private forget({ key, link }: FileLine): void {
    if (link) URL.revokeObjectURL(link);
    this.controls.delete(key);
    this.lines = this.lines.filter((line) => line.key !== key);
  }

  private update(key: string, patch: Partial<FileLine>): void {
    this.lines = this.lines.map((line) => (line.key === key ? { ...line, ...patch } : line));
    this.host.changed(this.lines);
  }

  private sending(sending: Sending): void {
    const { name, size } = sending;
    const key = this.add({ own: true, from: this.room.self.name, name, size, state: 'offered', why: undefined }, { cancel: () => sending.cancel() });
    let had: readonly Delivery[] = [];
    sending.on('change', ({ open, why, deliveries }) => {
      for (const news of newsOf(name, had, deliveries)) this.host.said(news);
      had = deliveries;
      this.update(key, { deliveries, why, state: open ? 'offered' : 'failed' });
    });
  }

  private offered(offer: Offer): void {
    const { fromName, name, size, state, why } = offer;
    let receiving: Receiving | undefined;
    const accept = (): void => {
      receiving = offer.accept();
      receiving.file.then(
        (file) => this.arrived(key, file),
        () => undefined, // told as a change of the offer
      );
      receiving.on('progress', (bytes) => this.update(key, { bytes }));
    };
    const key = this.add({ own: false, from: fromName, name, size, state, why }, {
      accept,
      decline: () => offer.decline(),
      cancel: () => receiving?.cancel(),
    });
    offer.on('change', () => {
      // What is there is shown once it can be saved.
      if (offer.state !== 'done') this.update(key, { state: offer.state, why: offer.why });
      if (offer.state === 'failed' && offer.why) this.host.said(`${name}: ${failureOf(offer.why)}`);
    });
    this.host.offered(`${fromName} offers you ${name}, ${sizeText(size)}.`, state === 'offered');
  }

  private arrived(key: string, file: File): void {
    // Without the sender's type: no browser shows it as a page of this site, whatever it is.
    const link = URL.createObjectURL(new Blob([file], { type: 'application/octet-stream' }));
    this.update(key, { state: 'done', why: undefined, bytes: file.size, link });
    this.host.said(`${file.name} is here and can be saved.`);
  }
}

/** Who has it now, and did not before. */
function newsOf(name: string, before: readonly Delivery[], now: readonly Delivery[]): string[] {
  return now
    .filter(({ member, state }) => state === 'done' && before.find((d) => d.member === member)?.state !== 'done')
    .map((delivery) => `${delivery.name} has ${name}.`);
}

export function isOver({ own, state, deliveries }: FileLine): boolean {
  if (state === 'offered') return own && settled(deliveries);
  return state !== 'accepted';
}

/** Whether nobody is asked or gets it any more. */
export function settled(deliveries: readonly Delivery[]): boolean {
  return deliveries.length > 0 && deliveries.every(({ state }) => state !== 'offered' && state !== 'accepted');
}

type Entry =
  | { message: ChatMessage; file?: undefined; before: ChatMessage | undefined }
  | { message?: undefined; file: FileLine; before?: undefined };

/** Messages and files in one order. before: the message right in front, where no file is between. */
export function timeline(messages: readonly ChatMessage[], files: readonly FileLine[]): Entry[] {
  const entries: Entry[] = [];
  let next = 0;
  const place = (until: number): boolean => {
    const first = next;
    for (; files[next] && files[next]!.after < until; next++) entries.push({ file: files[next]! });
    return next > first;
  };
  for (const [i, message] of messages.entries()) {
    const parted = place(message.at);
    entries.push({ message, before: parted ? undefined : messages[i - 1] });
  }
  place(Infinity);
  return entries;
}
