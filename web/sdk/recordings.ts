// What the relay keeps of a room and plays into it, by its HTTP API (docs/protocol.md section 22).

import { RecordingsError } from './api';
import { firstPicture } from './first-picture';
import { isMatroska, toWebM } from './to-webm';
import type { AddOptions, RecordingEntry, Recordings } from './api';

interface WireRecording {
  id: string;
  room: string;
  title?: string;
  state: string;
  why?: string;
  byName?: string;
  began: string;
  durationMs: number;
  bytes: number;
  files: { name: string; bytes: number }[] | null;
}

export class RelayRecordings implements Recordings {
  constructor(
    private readonly api: string,
    private readonly room: string,
    private readonly token: string,
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
    private readonly makeRequest = (): XMLHttpRequest => new XMLHttpRequest(),
  ) {}

  async list(): Promise<RecordingEntry[]> {
    const response = await this.ask('GET', `recordings?room=${encodeURIComponent(this.room)}`);
    const { recordings } = (await response.json()) as { recordings: WireRecording[] };
    return recordings.map(({ id, room, title = '', state, why = '', byName = '', began, durationMs, bytes, files }) => ({
      id,
      room,
      title,
      state,
      why,
      byName,
      began: Date.parse(began),
      length: durationMs,
      bytes,
      files: (files ?? []).map((file) => ({ name: file.name, bytes: file.bytes })),
    }));
  }

  async play(id: string, { position = 0, paused = false, loop = false, next = [] }: Parameters<Recordings['play']>[1] = {}): Promise<void> {
    await this.ask('PUT', this.playback, { recording: id, positionMs: Math.round(position), paused, loop, ...(next.length > 0 && { next }) });
  }

  async change({ position, ...what }: Parameters<Recordings['change']>[0]): Promise<void> {
    await this.ask('PATCH', this.playback, { ...what, ...(position !== undefined && { positionMs: Math.max(0, Math.round(position)) }) });
  }

  async stop(): Promise<void> {
    await this.ask('DELETE', this.playback);
  }

  async remove(id: string): Promise<void> {
    await this.ask('DELETE', `recordings/${encodeURIComponent(id)}`);
  }

  async still(id: string): Promise<Blob | undefined> {
    const path = `recordings/${encodeURIComponent(id)}/`;
    const response = await this.ask('GET', `${path}still`);
    return response.status === 204 ? firstPicture(`${this.api}${path}file`, this.bearer) : response.blob();
  }

  async add(file: Blob, title: string, { made, sent, signal }: AddOptions = {}): Promise<string> {
    const ready = (await isMatroska(file)) ? file : await toWebM(file, (part) => made?.(part), signal);
    signal?.throwIfAborted();
    return this.upload(ready, title, sent, signal);
  }

  /** By XMLHttpRequest, which alone tells how much has gone. */
  private upload(file: Blob, title: string, sent: AddOptions['sent'], signal?: AbortSignal): Promise<string> {
    const query = new URLSearchParams({ room: this.room, title });
    const request = this.makeRequest();
    request.open('POST', `${this.api}recordings/upload?${query}`);
    if (this.token) request.setRequestHeader('Authorization', `Bearer ${this.token}`);
    request.upload.onprogress = ({ loaded }) => sent?.(loaded, file.size);
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    return new Promise((resolve, reject) => {
      request.onload = () => {
        if (request.status === 201) resolve((JSON.parse(request.responseText) as WireRecording).id);
        else reject(new RecordingsError(request.status, request.responseText.trim().slice(0, 300) || request.statusText));
      };
      request.onabort = () => reject(signal?.reason);
      request.onerror = () => reject(new RecordingsError(0, 'the server cannot be reached'));
      request.send(file);
    });
  }

  async download(id: string, part: number, progress?: (bytes: number) => void): Promise<Blob> {
    const { body, headers } = await this.ask('GET', `recordings/${encodeURIComponent(id)}/file?part=${part}`);
    const pieces: BlobPart[] = [];
    let bytes = 0;
    for (const reader = body!.getReader(); ; ) {
      const { done, value } = await reader.read().catch(() => {
        throw new RecordingsError(0, 'the connection broke');
      });
      if (done) break;
      pieces.push(value);
      bytes += value.length;
      progress?.(bytes);
    }
    return new Blob(pieces, { type: headers.get('Content-Type') ?? '' });
  }

  private get bearer(): Record<string, string> {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  private get playback(): string {
    return `playback/${encodeURIComponent(this.room)}`;
  }

  private async ask(method: string, path: string, body?: unknown): Promise<Response> {
    const headers = { ...this.bearer, ...(body !== undefined && { 'Content-Type': 'application/json' }) };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await this.fetcher(this.api + path, init).catch(() => {
      throw new RecordingsError(0, 'the server cannot be reached');
    });
    if (response.ok) return response;
    const text = (await response.text().catch(() => '')).trim().slice(0, 300);
    throw new RecordingsError(response.status, text || response.statusText);
  }
}
