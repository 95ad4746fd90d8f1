import type { ChatMessage, CloseReason, MemberInfo, PlaybackInfo, RecordingInfo, Room, RoomState, RoomStats } from '../../sdk';
import type { Media } from '../media/media';
import { playedName } from '../labels';
import { troubleText, type Kind } from '../media/trouble';
import { Store } from '../store';
import type { Toasts } from '../ui/toasts';
import { group, rosterNews } from './announce';
import { playbackNews, recordingProblem } from './playback-words';
import { recordingNews } from './recording-words';
import { RecordingList } from './recordings';
import { emptyChat, offered, opened, received, type ChatState } from './chatlog';
import { Files, type FileLine } from './files';
import { Film } from './film';
import { isShared, Publications, staged, tilesOf, type Tile } from './tiles';
import { ownTracks, Uplink } from './uplink';

export type Panel = 'chat' | 'people' | 'recordings' | 'connection';

export interface CallState {
  state: RoomState;
  closeReason: CloseReason | undefined;
  self: MemberInfo;
  members: readonly MemberInfo[];
  tiles: readonly Tile[];
  /** Key of the tile on the stage, if any. */
  stage: string | undefined;
  pinned: string | undefined;
  speakers: readonly string[];
  chat: ChatState;
  files: readonly FileLine[];
  panel: Panel | undefined;
  audioBlocked: boolean;
  recording: RecordingInfo | undefined;
  mayRecord: boolean;
  playback: PlaybackInfo | undefined;
  mayPlay: boolean;
  /** Keys member/track of the pictures that have come. */
  pictures: ReadonlySet<string>;
  stats: RoomStats | undefined;
  /** The stats one look before, to tell what grew. */
  earlier: RoomStats | undefined;
  /** The newest words for the live region. */
  news: string;
}

/** How often the page looks at the statistics, ms. */
const lookEvery = 1000;
/** What is not known for less is no news, ms. */
const SETTLE_MS = 2_000;

/** One call on the screen: a joined room, and what the page makes of it. close() when the screen goes. */
export class Call {
  readonly store: Store<CallState>;
  private readonly publications = new Publications();
  private readonly sharedSince = new Map<string, number>();
  readonly files: Files;
  readonly film: Film;
  readonly recordings: RecordingList;
  private readonly uplink: Uplink;
  private readonly undo: (() => void)[] = [];
  private order = 0;
  /** Ids of all members who were ever played as they had been recorded: they are that until they leave. */
  private readonly recorded = new Set<string>();
  /** What was told last of what is played. */
  private toldPlayback: PlaybackInfo | undefined;
  private playbackTimer: ReturnType<typeof setTimeout> | undefined;
  /** Devices whose trouble has been told. Trouble from before the call was told before it. */
  private readonly troubles = new Set<Kind>();

  constructor(
    readonly room: Room,
    readonly media: Media,
    private readonly toasts: Toasts,
  ) {
    this.store = new Store<CallState>({
      state: room.state,
      closeReason: room.closeReason,
      self: room.self,
      members: [],
      tiles: [],
      stage: undefined,
      pinned: undefined,
      speakers: [],
      chat: emptyChat,
      files: [],
      panel: undefined,
      audioBlocked: room.audioBlocked,
      recording: room.recording,
      mayRecord: room.mayRecord,
      playback: room.playback,
      mayPlay: room.mayPlay,
      pictures: new Set(),
      stats: undefined,
      earlier: undefined,
      news: '',
    });
    this.files = new Files(room, {
      changed: (files) => this.store.set({ files }),
      newestChat: () => this.store.get().chat.messages.at(-1)?.at ?? 0,
      offered: (text, open) => this.fileOffered(text, open),
      said: (news) => this.store.set({ news }),
      failed: (text) => toasts.show(text, 'problem'),
    });
    this.film = new Film(room, {
      said: (news) => this.store.set({ news }),
      failed: (text) => toasts.show(text, 'problem'),
    });
    this.undo.push(() => this.files.close());
    this.undo.push(() => this.film.close());
    this.undo.push(() => this.recordings.close());
    this.recordings = new RecordingList(room.recordings, (text) => this.refused(text), saveFile);
    this.uplink = new Uplink(room, (id, error) => this.publishFailed(id, error));
    this.noteRecorded(room.playback);
    this.toldPlayback = room.playback;
    this.readRoster();
    for (const kind of ['camera', 'mic'] as const) if (media.store.get()[kind].trouble) this.troubles.add(kind);
    this.undo.push(
      room.on('state', (state) => this.stateChanged(state)),
      room.on('members', () => this.rosterChanged()),
      room.on('speakers', (speakers) => this.store.set({ speakers })),
      room.on('chat', (message) => this.chatCame(message)),
      room.on('recording', (recording) => this.recordingChanged(recording)),
      room.on('playback', (playback) => this.playbackChanged(playback)),
      room.on('notice', (notice) => toasts.show(notice.text)),
      media.store.watch(() => this.mediaChanged()),
    );
    this.uplink.sync(media.store.get());
    const timer = setInterval(() => void this.look(), lookEvery);
    this.undo.push(() => clearInterval(timer), () => clearTimeout(this.playbackTimer));
    this.useSpeaker(media.store.get().prefs.speaker);
  }

  /** Says where one is; to be called when the live region is there to hear it. */
  greet(): void {
    const names = this.store.get().members.map((member) => member.name);
    this.store.set({ news: `You are in ${this.room.name}${names.length > 0 ? ` with ${group(names)}` : ', alone so far'}.` });
  }

  close(): void {
    for (const undo of this.undo.splice(0)) undo();
  }

  /** Opens a panel, or closes it when it is the one that is open. */
  toggle(panel: Panel): void {
    const next = this.store.get().panel === panel ? undefined : panel;
    this.store.set({ panel: next, chat: opened(this.store.get().chat, next === 'chat') });
  }

  /** Pins a tile to the stage; undefined takes the pin away. */
  pin(key: string | undefined): void {
    this.store.set({ pinned: key });
    this.restage();
  }

  async share(): Promise<void> {
    if (this.media.store.get().screen) {
      this.media.stopShare();
      return;
    }
    try {
      await this.media.share();
    } catch {
      this.toasts.show('The screen could not be shared.', 'problem');
    }
  }

  async hear(): Promise<void> {
    await this.room.resumeAudio();
    this.store.set({ audioBlocked: this.room.audioBlocked });
  }

  /** Chooses where sound comes out; "" is the browser's default. Browsers that cannot, stay where they are. */
  useSpeaker(deviceId: string): void {
    const context = this.room.output.context as AudioContext & { setSinkId?: (id: string) => Promise<void> };
    if (!context.setSinkId || (!deviceId && !this.media.store.get().prefs.speaker)) return;
    context.setSinkId(deviceId).catch(() => this.toasts.show('This speaker cannot be used.', 'problem'));
  }

  private stateChanged(state: RoomState): void {
    const before = this.store.get().state;
    const news = state === 'online' && before === 'reconnecting' ? 'You are connected again.' : '';
    this.store.set({ state, closeReason: this.room.closeReason, ...(news && { news }) });
  }

  private recordingChanged(recording: RecordingInfo | undefined): void {
    const news = recordingNews(this.store.get().recording, recording);
    this.store.set({ recording, mayRecord: this.room.mayRecord, ...(news && { news }) });
    if (news) this.toasts.show(news, recording?.state === 'failed' ? 'problem' : 'plain');
  }

  private playbackChanged(playback: PlaybackInfo | undefined): void {
    this.noteRecorded(playback);
    this.store.set({ playback, mayPlay: this.room.mayPlay });
    this.readRoster();
    // After a reconnect nothing is known of it for a moment.
    clearTimeout(this.playbackTimer);
    this.playbackTimer = setTimeout(() => this.tellPlayback(), playback ? 0 : SETTLE_MS);
  }

  private noteRecorded(playback: PlaybackInfo | undefined): void {
    if (playback && !playback.title) for (const id of playback.members) this.recorded.add(id);
  }

  private tellPlayback(): void {
    const { playback } = this.store.get();
    const news = playbackNews(this.toldPlayback, playback);
    this.toldPlayback = playback;
    if (news) this.store.set({ news });
  }

  /** Does something to what is played. */
  control(what: Parameters<Room['recordings']['change']>[0]): Promise<void> {
    return this.room.recordings.change(what).catch((error: unknown) => this.refused(recordingProblem(error)));
  }

  stopPlayback(): void {
    this.room.recordings.stop().catch((error: unknown) => this.refused(recordingProblem(error)));
  }

  private refused(text: string): void {
    if (this.undo.length > 0) this.toasts.show(text, 'problem');
  }

  private rosterChanged(): void {
    const before = new Map(this.store.get().members.map((member) => [member.id, member]));
    this.readRoster();
    const now = new Map(this.store.get().members.map((member) => [member.id, member]));
    const news = rosterNews(before, now);
    if (news) this.store.set({ news });
  }

  private mediaChanged(): void {
    const media = this.media.store.get();
    this.uplink.sync(media);
    this.readRoster();
    for (const kind of ['camera', 'mic'] as const) {
      const { trouble } = media[kind];
      if (trouble && !this.troubles.has(kind)) {
        const { title, advice } = troubleText([kind], trouble);
        this.toasts.show(`${title}. ${advice}`, 'problem');
      }
      if (trouble) this.troubles.add(kind);
      else this.troubles.delete(kind);
    }
  }

  private readRoster(): void {
    // Copies, so that what was read can be compared with what comes.
    const films = this.room.self.tracks.filter(({ source }) => source === 'file');
    const self = { ...this.room.self, tracks: [...ownTracks(this.media.store.get()), ...films] };
    const played = this.room.playback?.members ?? [];
    for (const id of this.recorded) if (!this.room.members.has(id) && !played.includes(id)) this.recorded.delete(id);
    const members = [...this.room.members.values()].map((member) => ({ ...member, ...(this.recorded.has(member.id) && { name: playedName(member.name) }) }));
    this.publications.update([self, ...members]);
    const tiles = tilesOf(self, members);
    for (const tile of tiles) {
      if (isShared(tile) && !this.sharedSince.has(tile.key)) this.sharedSince.set(tile.key, ++this.order);
    }
    const live = new Set(tiles.map((tile) => tile.key));
    for (const key of this.sharedSince.keys()) if (!live.has(key)) this.sharedSince.delete(key);
    this.store.set({ self, members, tiles });
    this.restage();
  }

  private restage(): void {
    const { tiles, pinned } = this.store.get();
    const stillThere = tiles.some((tile) => tile.key === pinned);
    this.store.set({
      pinned: stillThere ? pinned : undefined,
      stage: staged(tiles, pinned, this.sharedSince)?.key,
    });
  }

  /** The identity of a picture: changes when a track is withdrawn and offered again. */
  pictureOf(tile: Tile): string {
    return tile.video ? this.publications.keyOf(tile.member.id, tile.video.id) : '';
  }

  private chatCame(message: ChatMessage): void {
    const own = message.from === this.room.self.id;
    const chat = received(this.store.get().chat, message, own);
    const aloud = !own && !chat.open && !message.past;
    this.store.set({ chat, ...(aloud && { news: `Message from ${message.name}: ${message.text.slice(0, 200)}` }) });
  }

  private fileOffered(text: string, open: boolean): void {
    const { chat } = this.store.get();
    this.store.set({ chat: offered(chat), news: text });
    if (!chat.open) this.toasts.show(`${text} Open the chat to ${open ? 'answer' : 'see why it cannot be taken'}.`);
  }

  private async look(): Promise<void> {
    // Rejected only when the room closes meanwhile; then nobody looks any more.
    const stats = await this.room.stats().catch(() => undefined);
    if (!stats || this.undo.length === 0) return;
    const pictures = new Set(this.store.get().pictures);
    for (const track of stats.tracks) if (track.kind === 'video' && track.width) pictures.add(`${track.member}/${track.track}`);
    this.store.set({ stats, earlier: this.store.get().stats, pictures, audioBlocked: this.room.audioBlocked });
  }

  private publishFailed(id: string, error: unknown): void {
    if (this.undo.length === 0) return;
    const what = id === 'mic' ? 'microphone' : id === 'camera' ? 'camera' : 'screen';
    const why = error instanceof Error ? error.message : String(error);
    this.toasts.show(`Your ${what} is not being sent: ${why}`, 'problem');
  }
}

/** Has the browser keep a file. */
function saveFile(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
