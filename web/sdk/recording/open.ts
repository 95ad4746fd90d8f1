// A recording as the application sees it: a proxy of the worker that reads it.

import { JoinError } from '../api';
import type { CloseReason } from '../api';
import { Calls } from '../calls';
import { Emitter } from '../emitter';
import { siblingUrl } from '../sibling';
import { trustedScript } from '../trusted';
import type { OpenOptions, OpenRecording, RecordingDescription, RecordingEvents, RecordingFile, RecordingState } from './api';
import type { FileInfo, FromViewer, ToViewer } from './bridge';
import { describe } from './describe';
import workerUrl from './viewer.worker.ts?worker&url';

interface Settled {
  open: () => void;
  closed: (reason: CloseReason) => void;
}

export class WorkerRecording implements OpenRecording {
  state: RecordingState = 'open';
  closeReason: CloseReason | undefined;
  files: readonly RecordingFile[] = [];
  private readonly events = new Emitter<RecordingEvents>();
  private readonly calls = new Calls();
  private readonly worker: Worker;
  private readonly onNetwork = (): void => this.post({ do: 'network' });
  private resumeToken = '';
  /** The page goes, and its worker may not get a word out: without one the files would be kept for it for a while. */
  private readonly onHide = (): void => {
    if (this.resumeToken) navigator.sendBeacon(siblingUrl(this.url, 'leave'), this.resumeToken);
    this.close();
  };

  private constructor(
    readonly id: string,
    private readonly url: string,
    private readonly token: string,
    private readonly settled: Settled,
  ) {
    this.worker = new Worker(trustedScript(workerUrl), { type: 'module', name: 'landline-recording' });
    this.worker.onmessage = (event: MessageEvent<FromViewer>) => this.receive(event.data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      // Without a message the script did not come: the server is not there.
      this.end(event.message ? { code: 'internal', text: event.message } : { code: 'unreachable', text: 'the worker could not be loaded' });
    };
    addEventListener('online', this.onNetwork);
    addEventListener('pagehide', this.onHide);
    this.post({ do: 'open', url, id, token });
  }

  /** Resolves when its files can be read. */
  static open(options: OpenOptions): Promise<OpenRecording> {
    const { id, token = '', url = `${location.protocol === 'http:' ? 'ws' : 'wss'}://${location.host}/ws` } = options;
    return new Promise((resolve, reject) => {
      const recording: WorkerRecording = new WorkerRecording(id, url, token, {
        open: () => resolve(recording),
        closed: ({ code, text }) => reject(new JoinError(code, text)),
      });
    });
  }

  on<K extends keyof RecordingEvents>(event: K, handler: (value: RecordingEvents[K]) => void): () => void {
    return this.events.on(event, handler);
  }

  describe(): Promise<RecordingDescription> {
    return describe(siblingUrl(this.url, 'api/'), this.id, this.token);
  }

  close(): void {
    if (this.state === 'closed') return;
    // The worker says bye, and ends itself with the page or with the socket.
    this.post({ do: 'close' });
    this.end({ code: 'left', text: '' });
  }

  private post(message: ToViewer): void {
    this.worker.postMessage(message);
  }

  private receive(message: FromViewer): void {
    switch (message.is) {
      case 'state':
        if (message.state === 'closed') return this.end(message.reason ?? { code: 'closed', text: '' });
        if (message.state !== 'connecting') this.change(message.state === 'online' ? 'open' : 'reconnecting');
        return;
      case 'resume':
        this.resumeToken = message.token;
        return;
      case 'files':
        this.files = message.files.map((info, file) => this.file(info, file));
        return this.settled.open();
      case 'bytes':
        return this.calls.resolve(message.call, message.bytes);
      case 'failed':
        return this.calls.reject(message.call, new JoinError(message.code, message.text));
    }
  }

  private file(info: FileInfo, file: number): RecordingFile {
    return {
      ...info,
      read: (start, end) => {
        if (this.closeReason) return Promise.reject(new JoinError(this.closeReason.code, this.closeReason.text));
        const { call, promise } = this.calls.begin<Uint8Array>();
        this.post({ do: 'read', call, file, start, end });
        return promise;
      },
      stop: () => this.post({ do: 'stop', file }),
    };
  }

  private change(state: RecordingState): void {
    if (state === this.state) return;
    this.state = state;
    this.events.emit('state', state);
  }

  private end(reason: CloseReason): void {
    if (this.state === 'closed') return;
    this.closeReason = reason;
    removeEventListener('online', this.onNetwork);
    removeEventListener('pagehide', this.onHide);
    if (reason.code !== 'left') this.worker.terminate();
    this.calls.rejectAll(new JoinError(reason.code, reason.text));
    this.settled.closed(reason);
    this.change('closed');
  }
}
