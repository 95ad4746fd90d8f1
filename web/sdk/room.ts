// The room as the application sees it: a proxy of the worker that does the work.

import { JoinError } from './api';
import type { CloseReason, FileStream, JoinOptions, MemberInfo, Offer, PlaybackInfo, RecordingInfo, Recordings, Room, RoomEvents, RoomState, RoomStats, Sending, SendOptions, StreamFileOptions, Topic, TopicMode, TrackInfo } from './api';
import type { ToPage, ToWorker } from './bridge';
import { Calls } from './calls';
import { captureByHand, platformFrames } from './capture';
import type { StopCapture } from './capture';
import { Emitter } from './emitter';
import { RoomFiles } from './file/room-files';
import { dispose, holdFrame } from './hand-over';
import { RoomObjects } from './objects/room-objects';
import { RelayRecordings } from './recordings';
import { decodableByRtc, Peer } from './rtc/peer';
import { siblingUrl } from './sibling';
import { SoundOut } from './sound-out';
import { decodable, supported } from './support';
import { RoomTopics } from './topic';
import { trustedScript } from './trusted';
import workerUrl from './worker.ts?worker&url';

const DEFAULT_PRIORITY = 4;
/** What may be asked for. */
const MOST_HEIGHT = 16_384;

export class WorkerRoom implements Room {
  state: RoomState = 'connecting';
  closeReason: CloseReason | undefined;
  self: MemberInfo = { id: '', name: '', state: 'online', tracks: [] };
  members: ReadonlyMap<string, MemberInfo> = new Map();
  recording: RecordingInfo | undefined;
  mayRecord = false;
  playback: PlaybackInfo | undefined;
  mayPlay = false;
  private readonly events = new Emitter<RoomEvents>();
  private readonly calls = new Calls();
  private soundOut: SoundOut | undefined;
  private readonly topics = new RoomTopics({ post: (message) => this.post(message), flush: (topic) => this.flush(topic) });
  private readonly objects = new RoomObjects((message) => this.post(message), (offer) => this.offered(offer));
  private readonly files = new RoomFiles((message) => this.post(message));
  private readonly peer = new Peer(
    (message, transfer) => this.post(message, transfer),
    () => this.sound,
  );
  private readonly worker: Worker;
  private readonly captures = new Map<string, StopCapture>();
  private readonly surfaces = new WeakMap<HTMLCanvasElement, number>();
  private readonly gone = new FinalizationRegistry((surface: number) => this.post({ do: 'drop-surface', surface }));
  private surfaceCount = 0;
  private readonly onNetwork = (): void => this.post({ do: 'network' });
  private resumeToken = '';
  /**
   * The page goes: without a bye the others would see a ghost for 30 s. The worker says it if it is given the time; the
   * beacon needs none.
   */
  private readonly onHide = (): void => {
    if (this.resumeToken) navigator.sendBeacon(this.leaveUrl, this.resumeToken);
    this.post({ do: 'leave', call: 0 });
  };

  private constructor(
    readonly name: string,
    private readonly leaveUrl: string,
    readonly recordings: Recordings,
    receive: boolean,
    private readonly settled: { online: () => void; closed: (reason: CloseReason) => void },
  ) {
    this.worker = new Worker(trustedScript(workerUrl), { type: 'module', name: 'landline' });
    this.worker.onmessage = (event: MessageEvent<ToPage>) => this.receive(event.data);
    this.worker.onerror = (event) => {
      if (this.state !== 'connecting') return;
      event.preventDefault();
      // Without a message the script did not come: the server is not there.
      this.close(event.message ? { code: 'internal', text: event.message } : { code: 'unreachable', text: 'the worker could not be loaded' });
    };
    if (receive) this.soundOut = this.makeSound();
    addEventListener('online', this.onNetwork);
    addEventListener('pagehide', this.onHide);
  }

  /** Sound goes through an AudioContext, which a page that receives nothing need not have. */
  private get sound(): SoundOut {
    this.soundOut ??= this.makeSound();
    return this.soundOut;
  }

  private makeSound(): SoundOut {
    return new SoundOut(
      (clock) => this.post({ do: 'sound-clock', clock }),
      () => this.events.emit('members', undefined),
    );
  }

  /** Resolves when the first joined message came. */
  static async join(options: JoinOptions): Promise<Room> {
    const { receive = true, transport = 'ws' } = options;
    const missing = supported(receive);
    if (missing.length) throw new JoinError('unsupported-browser', `this browser lacks ${missing.join(', ')}`);
    const decode = receive ? await decodable() : [];
    const url = options.url ?? `${location.protocol === 'http:' ? 'ws' : 'wss'}://${location.host}/ws`;
    return new Promise((resolve, reject) => {
      const { name = '', token = '' } = options;
      const recordings = new RelayRecordings(siblingUrl(url, 'api/'), options.room, token);
      const room = new WorkerRoom(options.room, siblingUrl(url, 'leave'), recordings, receive, {
        online: () => resolve(room),
        closed: ({ code, text }) => reject(new JoinError(code, text)),
      });
      const decodeRtc = receive && transport === 'auto' ? decodableByRtc() : [];
      room.post({ do: 'start', options: { url, room: options.room, name, token, decode, receive, decodeRtc }, transport });
    });
  }

  on<K extends keyof RoomEvents>(event: K, handler: (value: RoomEvents[K]) => void): () => void {
    return this.events.on(event, handler);
  }

  async publish(id: string, source: TrackInfo['source'], track: MediaStreamTrack): Promise<void> {
    if (this.state === 'closed') throw new JoinError('closed', 'the room is closed');
    const { call, promise } = this.calls.begin<undefined>();
    const kind = track.kind === 'audio' ? 'audio' : 'video';
    const readable = platformFrames(track);
    this.post({ do: 'publish', call, id, kind, source });
    if (readable) void this.giveFrames(call, track, readable);
    else if (!this.captures.has(id)) {
      const stop = captureByHand(id, track, (message, transfer) => this.post(message, transfer), () => this.unpublish(id));
      this.captures.set(id, stop);
    }
    await promise;
  }

  private async giveFrames(call: number, track: MediaStreamTrack, readable: ReadableStream<VideoFrame | AudioData>): Promise<void> {
    const witness = track.kind === 'video' && platformFrames(track);
    if (witness) await holdFrame(readable, witness);
    if (this.state === 'closed') return dispose(readable);
    this.post({ do: 'frames', call, readable }, [readable as unknown as Transferable]);
  }

  unpublish(id: string): void {
    this.post({ do: 'unpublish', id });
  }

  streamFile(file: Blob, options: StreamFileOptions = {}): Promise<FileStream> {
    return this.files.stream(file, options, this.state === 'closed');
  }

  mute(id: string, muted: boolean): void {
    this.post({ do: 'mute', id, muted });
  }

  show(member: string, track: string, canvas: HTMLCanvasElement): () => void {
    const surface = this.surfaces.get(canvas) ?? this.handOver(canvas);
    this.post({ do: 'show', member, track, surface });
    return () => this.post({ do: 'hide', member, track, surface });
  }

  private handOver(canvas: HTMLCanvasElement): number {
    const surface = ++this.surfaceCount;
    const offscreen = canvas.transferControlToOffscreen();
    this.surfaces.set(canvas, surface);
    this.gone.register(canvas, surface);
    this.post({ do: 'surface', surface, canvas: offscreen }, [offscreen]);
    return surface;
  }

  prefer(member: string, track: string, want: { hidden?: boolean; priority?: number; height?: number }): void {
    const { hidden = false, priority = DEFAULT_PRIORITY, height = 0 } = want;
    this.post({ do: 'prefer', member, track, want: { hidden, priority, height: Math.min(Math.ceil(height), MOST_HEIGHT) } });
  }

  setVolume(member: string, volume: number): void {
    this.sound.setVolume(member, volume);
  }

  get audioBlocked(): boolean {
    return this.soundOut?.blocked ?? false;
  }

  resumeAudio(): Promise<void> {
    return this.sound.resume();
  }

  get output(): AudioNode {
    return this.sound.output;
  }

  chat(text: string): void {
    this.post({ do: 'chat', text });
  }

  topic(name: string, mode: TopicMode): Topic {
    return this.topics.get(name, mode);
  }

  send(file: Blob & { readonly name?: string }, options: SendOptions = {}): Sending {
    return this.objects.offer(file, options, this.state === 'closed');
  }

  /** Where nobody asks anybody, the sender is not kept waiting. */
  private offered(offer: Offer): void {
    if (this.events.has('offer')) this.events.emit('offer', offer);
    else offer.decline();
  }

  private flush(topic: string): Promise<void> {
    if (this.state === 'closed') return Promise.reject(new JoinError('closed', 'the room is closed'));
    const { call, promise } = this.calls.begin<undefined>();
    this.post({ do: 'flush', call, topic });
    return promise;
  }

  record(on: boolean): void {
    this.post({ do: 'record', on });
  }

  stats(): Promise<RoomStats> {
    if (this.state === 'closed') return Promise.reject(new JoinError('closed', 'the room is closed'));
    const { call, promise } = this.calls.begin<RoomStats>();
    this.post({ do: 'stats', call });
    return promise;
  }

  async leave(): Promise<void> {
    if (this.state === 'closed') return;
    const { call, promise } = this.calls.begin<undefined>();
    this.post({ do: 'leave', call });
    await promise;
    this.worker.terminate();
  }

  private post(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  private receive(message: ToPage): void {
    switch (message.is) {
      case 'state':
        return this.setState(message.state, message.reason);
      case 'resume':
        this.resumeToken = message.token;
        return;
      case 'roster':
        return this.setRoster(message.self, message.members);
      case 'chat':
        return this.events.emit('chat', message.message);
      case 'notice': {
        const { code, text, member } = message;
        return this.events.emit('notice', member ? { code, text, member } : { code, text });
      }
      case 'data':
        return this.topics.told(message.topic, message.batch);
      case 'topic-refused': {
        const { topic, code, text } = message;
        this.topics.refused(topic, { code, text });
        return this.events.emit('notice', { code, text: `${topic}: ${text}` });
      }
      case 'sending':
      case 'offer':
      case 'receiving':
        return this.objects.told(message);
      case 'file-opened':
      case 'file-at':
        return this.files.told(message);
      case 'speakers':
        return this.events.emit('speakers', message.members);
      case 'recording':
        this.recording = message.recording;
        this.mayRecord = message.may;
        return this.events.emit('recording', message.recording);
      case 'playback':
        this.playback = message.playback;
        this.mayPlay = message.may;
        return this.events.emit('playback', message.playback);
      case 'sound':
        void this.sound.begin(message.key, message.member, message.port);
        return;
      case 'sound-over':
        return this.sound.end(message.key);
      case 'rtc-open':
      case 'rtc-answer':
      case 'rtc-line':
      case 'rtc-free':
      case 'rtc-count':
      case 'rtc-close':
      case 'rtc-sound':
        return this.peer.told(message);
      case 'unpublished':
        this.captures.get(message.id)?.();
        this.captures.delete(message.id);
        return;
      case 'done':
        return this.calls.resolve(message.call, undefined);
      case 'stats':
        return this.calls.resolve(message.call, message.stats);
      case 'failed':
        return this.calls.reject(message.call, new JoinError(message.code, message.text));
    }
  }

  private setState(state: RoomState, reason: CloseReason | undefined): void {
    if (state === 'closed') return this.close(reason ?? { code: 'closed', text: '' });
    this.state = state;
    if (state === 'online') this.settled.online();
    this.events.emit('state', state);
  }

  private setRoster(self: MemberInfo, members: MemberInfo[]): void {
    for (const id of this.members.keys()) if (!members.some((m) => m.id === id)) this.soundOut?.forget(id);
    this.self = self;
    this.members = new Map(members.map((m) => [m.id, m] as const));
    this.events.emit('members', undefined);
  }

  /** The room is over: everything that holds a device or a thread is let go. */
  private close(reason: CloseReason): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.closeReason = reason;
    removeEventListener('online', this.onNetwork);
    removeEventListener('pagehide', this.onHide);
    for (const stop of this.captures.values()) stop();
    this.captures.clear();
    this.peer.close();
    void this.soundOut?.close();
    this.objects.close();
    this.files.close();
    if (reason.code !== 'left') {
      this.worker.terminate();
      this.calls.rejectAll(new JoinError(reason.code, reason.text));
    }
    this.settled.closed(reason);
    this.events.emit('state', 'closed');
  }
}
