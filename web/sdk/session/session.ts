// A membership over one WebSocket after another: join, watch for silence, resume, join anew.

import type { CloseReason, RoomState } from '../api';
import type { Joined, Offer, Outgoing, Selection, ServerMessage } from '../wire/messages';
import { nowUs } from './clock';
import { Connector } from './connector';
import type { ConnectorHandler } from './connector';
import { Link } from './link';
import type { LinkHandler, MakeSocket, Media } from './link';
import { explain, judge } from './verdict';

const AGENT = 'landline-web/0.1.0';
const TICK_MS = 250;
/** Silence while something of ours is unacknowledged, and silence at all, after which a second connection is tried. */
const SUSPECT_MS = 1_500;
const QUIET_MS = 5_000;
const DEAD_MS = 10_000;
/** How long the first join may take, and how long a lost connection is tried to be replaced. */
const FIRST_MS = 10_000;
const GIVE_UP_MS = 600_000;
const BYE_MS = 1_000;
/** Before joined the relay takes 4,096 bytes; what does not fit is published afterwards. */
const JOIN_BYTES = 3_600;

export interface SessionOptions {
  url: string;
  room: string;
  name: string;
  token: string;
  /** Codecs that can be decoded. */
  decode: string[];
  /** Whether all tracks of all others are asked for. */
  receive: boolean;
  /** Codecs that can be decoded by WebRTC; none where all is to come over the WebSocket. */
  decodeRtc?: string[];
}

export interface SessionHandler {
  state(state: RoomState, reason?: CloseReason): void;
  /** What the relay can do besides; told before joined. */
  welcomed(features: string[]): void;
  /** In the room, for the first time, by resume, or anew (message.resumed tells). */
  joined(message: Joined): void;
  control(message: ServerMessage): void;
  media(message: Media): void;
  /** An ack came: there may be room to send more. */
  acked(): void;
  /** The link was lost: what waits is stale. its counts still tell what arrived. */
  lost(link: Link): void;
  offers(): Offer[];
  /** The stamp of the newest chat that is known; the relay tells of what is kept behind it. */
  readonly chatAtUs: number;
  backlogMs(): number;
}

export class Session implements LinkHandler, ConnectorHandler {
  link: Link | undefined;
  reconnects = 0;
  private state: RoomState = 'connecting';
  private resumeToken = '';
  private been = false;
  private retryMs = 0;
  private suspectedAt: number | undefined;
  private lostAt = performance.now();
  private readonly connector = new Connector(this);
  private watch: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly options: SessionOptions,
    private readonly handler: SessionHandler,
    private readonly make: MakeSocket,
  ) {}

  start(): void {
    this.watch = setInterval(() => this.tick(), TICK_MS);
    this.connector.begin(0);
  }

  get online(): boolean {
    return this.link !== undefined;
  }

  /** Sends a control message; false when there is no link to send it on. */
  send(message: Outgoing): boolean {
    this.link?.send(message);
    return this.link !== undefined;
  }

  /** The network says that it is back: an attempt is worth making now. */
  kick(): void {
    if (this.state === 'closed' || this.state === 'connecting') return;
    this.suspectedAt ??= performance.now();
    this.connector.begin(0);
    this.connector.kick();
  }

  /** Says bye and closes; the relay's close, or a second, ends it. */
  async leave(): Promise<void> {
    if (this.state === 'closed') return;
    const link = this.link;
    this.link = undefined;
    this.finish({ code: 'left', text: '' });
    if (!link) return;
    link.send({ type: 'bye' });
    await new Promise<void>((done) => {
      const timer = setTimeout(done, BYE_MS);
      const ignore = (): void => {};
      link.handler = { opened: ignore, control: ignore, media: ignore, acked: ignore, closed: () => (clearTimeout(timer), done()) };
    });
    link.discard();
  }

  private setState(state: RoomState, reason?: CloseReason): void {
    if (state === this.state) return;
    this.state = state;
    this.handler.state(state, reason);
  }

  private finish(reason: CloseReason): void {
    clearInterval(this.watch);
    this.connector.stop();
    this.link?.discard();
    this.link = undefined;
    this.setState('closed', reason);
  }

  /** The watchdog: timers of a worker are not throttled in hidden tabs. */
  private tick(): void {
    const now = performance.now();
    if (!this.link) {
      const limit = this.state === 'connecting' ? FIRST_MS : GIVE_UP_MS;
      if (now - this.lostAt > limit) this.finish({ code: 'unreachable', text: 'the relay does not answer' });
      return;
    }
    const quiet = now - this.link.heardAt;
    if (quiet > DEAD_MS) return this.link.fail();
    const suspect = quiet > QUIET_MS || (quiet > SUSPECT_MS && this.link.rate.silence(nowUs()) > SUSPECT_MS * 1000);
    if (suspect && !this.connector.active) {
      this.suspectedAt = now;
      this.setState('reconnecting');
      this.connector.begin(0);
    } else if (this.spokeAgain() && !this.connector.committed) this.calmDown();
  }

  private spokeAgain(): boolean {
    return this.link !== undefined && this.suspectedAt !== undefined && this.link.heardAt > this.suspectedAt;
  }

  private calmDown(): void {
    this.suspectedAt = undefined;
    this.connector.stop();
    this.setState('online');
  }

  dial(handler: LinkHandler): Link {
    return new Link(this.options.url, this.make, handler, () => this.handler.backlogMs());
  }

  wanted(): boolean {
    if (!this.spokeAgain()) return true;
    this.calmDown();
    return false;
  }

  greet(link: Link, fresh: boolean): void {
    if (fresh) this.resumeToken = '';
    else link.send({ type: 'hello', version: 1, agent: AGENT, decode: { ws: this.options.decode, webrtc: this.options.decodeRtc ?? [] } });
    const { room, name, token } = this.options;
    const { chatAtUs: chatAfterUs } = this.handler;
    if (this.resumeToken) return link.send({ type: 'join', room, resume: this.resumeToken, chatAfterUs });
    const subscribe: Selection[] = this.options.receive ? [{}] : [];
    const join: Outgoing = { type: 'join', room, name, token, subscribe, chatAfterUs, publish: this.handler.offers() };
    const size = JSON.stringify(join).length;
    link.send(size <= JOIN_BYTES ? join : { type: 'join', room, name, token, subscribe, chatAfterUs });
  }

  welcomed(features: string[]): void {
    this.handler.welcomed(features);
  }

  joined(link: Link, message: Joined): void {
    const old = this.link;
    if (old) this.handler.lost(old);
    old?.discard();
    if (this.state !== 'connecting') this.reconnects++;
    this.link = link;
    link.handler = this;
    this.resumeToken = message.resume;
    this.been = true;
    this.suspectedAt = undefined;
    this.handler.joined(message);
    this.setState('online');
  }

  beenIn(): boolean {
    return this.been;
  }

  refused(code: string, text: string): void {
    this.finish({ code, text });
  }

  opened(): void {}

  control(link: Link, message: ServerMessage): void {
    if (link !== this.link) return;
    if (message.type === 'bye') this.retryMs = Math.min(message.retryMs, 60_000) || 1;
    else this.handler.control(message);
  }

  media(link: Link, message: Media): void {
    if (link === this.link) this.handler.media(message);
  }

  acked(link: Link): void {
    if (link === this.link) this.handler.acked();
  }

  closed(link: Link, code: number, reason: string): void {
    if (link !== this.link) return;
    this.link = undefined;
    this.lostAt = performance.now();
    this.handler.lost(link);
    // The relay closes the old connection ('replaced') when our own new one resumes, often before it answers there.
    if (this.connector.committed) return this.setState('reconnecting');
    const verdict = judge(code);
    if (verdict === 'over') return this.finish(explain(code, reason));
    this.setState('reconnecting');
    const wait = verdict === 'later' ? 5_000 + Math.random() * 2_000 : this.retryMs * (1 + Math.random());
    this.retryMs = 0;
    this.suspectedAt = undefined;
    if (this.connector.active) this.connector.kick();
    else this.connector.begin(wait);
  }
}
