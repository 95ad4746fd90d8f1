import { join, JoinError, type Room } from '../sdk';
import { Call } from './call/call';
import { Media } from './media/media';
import { displayName } from './names';
import { claimToken, linkOfRoom, pathOfRoom, recordingOfPath, roomOfPath, tokenFor, transportOf } from './route';
import { Store } from './store';
import { Toasts } from './ui/toasts';

export type Screen =
  | { at: 'start'; room: string | undefined }
  | { at: 'connecting'; room: string }
  | { at: 'call'; room: string; call: Call }
  /** opened tells one visit to it from the next. */
  | { at: 'recording'; id: string; opened: number }
  /** code is 'left' after a leave, else why it failed or ended. */
  | { at: 'over'; room: string; code: string; text: string };

/** One visit to the site: which screen is shown, and the call if there is one. */
export class Visit {
  readonly media = new Media();
  readonly toasts = new Toasts();
  readonly store: Store<{ screen: Screen }>;
  /** Tells a join that was given up from the current one. */
  private attempt = 0;

  constructor() {
    this.store = new Store<{ screen: Screen }>({ screen: firstScreen(location.pathname) });
    window.addEventListener('popstate', () => this.moved());
    // The last moment at which a page can still say goodbye.
    window.addEventListener('pagehide', () => this.leave());
  }

  get screen(): Screen {
    return this.store.get().screen;
  }

  /** Shows the start page of a room, or of no room yet. Ends a call that is on. */
  start(room: string | undefined): void {
    this.hangUp();
    this.show({ at: 'start', room });
  }

  async join(room: string): Promise<void> {
    const attempt = ++this.attempt;
    if (location.pathname !== pathOfRoom(room)) history.pushState(null, '', pathOfRoom(room) + location.search);
    this.show({ at: 'connecting', room });
    void this.media.start();
    const token = tokenFor(room);
    try {
      const joined = await join({ room, name: displayName(this.media.store.get().prefs.name), transport: transportOf(location.search), ...(token && { token }) });
      if (attempt === this.attempt) this.enter(joined);
      else await joined.leave();
    } catch (error) {
      if (attempt !== this.attempt) return;
      const code = error instanceof JoinError ? error.code : 'unknown';
      this.end(room, code, error instanceof Error ? error.message : String(error));
    }
  }

  /** Leaves the call, or gives up joining. */
  leave(): void {
    const { screen } = this;
    if (screen.at !== 'call' && screen.at !== 'connecting') return;
    this.hangUp();
    this.end(screen.room, 'left', '');
  }

  /** The address changed without a new page: back, forward, or another fragment (perhaps with a token). */
  private moved(): void {
    claimToken(window);
    const { screen } = this;
    const room = roomOfPath(location.pathname);
    if (recordingOfPath(location.pathname) !== undefined) {
      this.hangUp();
      return this.show(firstScreen(location.pathname));
    }
    if (screen.at !== 'call' || screen.room !== room) this.start(room);
  }

  link(): string {
    const { screen } = this;
    return screen.at === 'call' ? linkOfRoom(location.origin, screen.room) : location.href;
  }

  async copyLink(): Promise<void> {
    const { screen } = this;
    const own = screen.at === 'call' && tokenFor(screen.room) !== undefined;
    await this.copy(this.link(), own ? 'Link copied. Your own invitation is not in it.' : 'Link copied');
  }

  async copy(text: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.toasts.show(done);
    } catch {
      this.toasts.show(`Copying is not allowed here. Copy it by hand: ${text}`, 'problem');
    }
  }

  private enter(joined: Room): void {
    const call = new Call(joined, this.media, this.toasts);
    this.show({ at: 'call', room: joined.name, call });
    const check = () => {
      const { state, closeReason } = call.store.get();
      const { screen } = this;
      if (state !== 'closed' || screen.at !== 'call' || screen.call !== call) return;
      call.close();
      this.end(joined.name, closeReason?.code ?? 'unknown', closeReason?.text ?? '');
    };
    call.store.watch(check);
    check();
  }

  private hangUp(): void {
    this.attempt++;
    const { screen } = this;
    if (screen.at !== 'call') return;
    screen.call.close();
    void screen.call.room.leave();
  }

  private end(room: string, code: string, text: string): void {
    this.media.stop();
    this.show({ at: 'over', room, code, text });
  }

  private show(screen: Screen): void {
    this.store.set({ screen });
  }
}

/** What a page shows before anybody has done anything. */
function firstScreen(path: string): Screen {
  const id = recordingOfPath(path);
  return id === undefined ? { at: 'start', room: roomOfPath(path) } : { at: 'recording', id, opened: performance.now() };
}
