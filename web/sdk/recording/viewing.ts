// A recording inside its worker: the session in the room recordings/ID, and the files that the relay lends there.

import type { CloseReason, RoomState } from '../api';
import type { MakeSocket, Media } from '../session/link';
import { Session } from '../session/session';
import type { SessionHandler } from '../session/session';
import type { Joined, Offer, Outgoing, ServerMessage } from '../wire/messages';
import type { FromViewer, ToViewer } from './bridge';
import { Lent } from './lent';

type Offered = Extract<ServerMessage, { type: 'offered' }>;

/** Files that a recording may have here. */
const MAX_FILES = 1_024;

const CHANGED: CloseReason = { code: 'failed', text: 'the file is not the one that it was' };
const UNREAD: CloseReason = { code: 'failed', text: 'the disk of the server does not give the file' };

export class Viewing implements SessionHandler {
  readonly chatAtUs = 0;
  private readonly session: Session;
  /** By what the relay calls them, in their order. */
  private readonly files = new Map<string, Lent>();
  private readonly infos: { name: string; size: number; type: string }[] = [];
  /** Which of them were offered in this session. */
  private readonly here = new Set<Lent>();
  private told = false;

  constructor(
    { url, id, token }: Extract<ToViewer, { do: 'open' }>,
    make: MakeSocket,
    private readonly post: (message: FromViewer, transfer?: Transferable[]) => void,
    private readonly over: () => void,
  ) {
    this.session = new Session({ url, room: `recordings/${id}`, name: '', token, decode: [], receive: false }, this, make);
    this.session.start();
  }

  handle(message: Exclude<ToViewer, { do: 'open' }>): void {
    switch (message.do) {
      case 'read':
        return this.read(message);
      case 'stop':
        return this.at(message.file)?.stop();
      case 'network':
        return this.session.kick();
      case 'close':
        void this.session.leave().then(this.over);
    }
  }

  private at(file: number): Lent | undefined {
    return [...this.files.values()][file];
  }

  private read({ call, file, start, end }: Extract<ToViewer, { do: 'read' }>): void {
    const lent = this.at(file);
    if (!lent) return this.post({ is: 'failed', call, code: 'bad-offset', text: `there is no file ${file}` });
    lent.read(start, end, (answer) => {
      if ('why' in answer) this.post({ is: 'failed', call, ...answer.why });
      else this.post({ is: 'bytes', call, bytes: answer.bytes }, [answer.bytes.buffer]);
    });
  }

  state(state: RoomState, reason?: CloseReason): void {
    if (state === 'closed') for (const file of this.files.values()) file.fail(reason ?? { code: 'closed', text: '' });
    // That it is open is told when the files are there.
    if (state !== 'online') this.post(reason ? { is: 'state', state, reason } : { is: 'state', state });
    else this.tellOpen();
  }

  welcomed(): void {}

  joined({ resume }: Joined): void {
    this.post({ is: 'resume', token: resume });
    this.here.clear();
  }

  control(message: ServerMessage): void {
    if (message.type === 'offered') this.offered(message);
    else if (message.type === 'cancel') this.cancelled(message.stream);
  }

  private offered(message: Offered): void {
    const { object, name, size, mime: type, stream, parts } = message;
    const known = this.files.get(object);
    // A file never changes: one that did is none of this recording.
    if (known && known.size !== size) return known.fail(CHANGED);
    if (!known && (this.told || this.files.size >= MAX_FILES)) return;
    const lent = known ?? new Lent(size, (out: Outgoing) => this.session.send(out));
    if (!known) {
      this.files.set(object, lent);
      this.infos.push({ name, size, type });
    }
    this.here.add(lent);
    lent.offered(stream);
    if (!this.told && this.files.size === parts) {
      this.told = true;
      this.post({ is: 'files', files: this.infos });
    }
    this.tellOpen();
  }

  private tellOpen(): void {
    if (this.told && this.here.size === this.files.size) this.post({ is: 'state', state: 'online' });
  }

  private cancelled(stream: number): void {
    for (const file of this.files.values()) if (file.isOn(stream)) file.fail(UNREAD);
  }

  media(message: Media): void {
    if (message.kind !== 'object') return;
    for (const file of this.files.values()) if (file.isOn(message.stream)) file.chunk(message);
  }

  acked(): void {}

  lost(): void {
    for (const file of this.files.values()) file.lost();
  }

  offers(): Offer[] {
    return [];
  }

  backlogMs(): number {
    return 0;
  }
}
