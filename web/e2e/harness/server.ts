// The relay as a process, and what it tells of itself.

import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { get } from 'node:http';
import { inject } from 'vitest';
import { adminToken, type Key } from './token';
import { until } from './wait';

export interface ServerOptions {
  key?: Key;
  /** 0, the default, takes a free one. */
  port?: number;
  /** Further flags. */
  args?: string[];
  /** Where to record. */
  recordings?: string;
}

export interface MemberStatus {
  id: string;
  name: string;
  state: 'online' | 'reconnecting';
  tracks: { id: string; kind: string; codec: string; muted: boolean; frames: number; bytes: number }[];
  link: { drops: Record<string, number> | null };
}

export interface RoomStatus {
  room: string;
  members: MemberStatus[];
}

export class Metrics {
  private readonly lines: { name: string; labels: string; value: number }[];

  constructor(text: string) {
    this.lines = [...text.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)].map((m) => ({ name: m[1]!, labels: m[2] ?? '', value: Number(m[3]) }));
  }

  /** The sum over all labels, or over those that contain the given text. */
  sum(name: string, label = ''): number {
    return this.lines.filter((l) => l.name === name && l.labels.includes(label)).reduce((sum, l) => sum + l.value, 0);
  }

  /** What is counted, by its labels. */
  by(name: string): Record<string, number> {
    return Object.fromEntries(this.lines.filter((l) => l.name === name && l.value > 0).map(({ labels, value }) => [labels, value]));
  }
}

export class Server {
  readonly log: string[] = [];
  url = '';

  private constructor(
    private readonly process: ChildProcess,
    private readonly options: ServerOptions,
  ) {
    createInterface({ input: process.stderr! }).on('line', (line) => this.log.push(line));
    process.stdout!.resume();
  }

  static async start(options: ServerOptions = {}): Promise<Server> {
    const { key, port = 0, args = [], recordings } = options;
    const env = { ...process.env, ...(key && { LANDLINE_KEYS: `${key.id}:${key.secret}` }) };
    const record = recordings ? ['--recordings', recordings, '--recordings-reserve', '0'] : [];
    const child = spawn(inject('landline'), ['serve', '--listen', `127.0.0.1:${port}`, ...record, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    const server = new Server(child, options);
    server.url = await until('the server says where it serves', () => server.said('serving')?.url ?? server.endedEarly());
    return server;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async metrics(): Promise<Metrics> {
    return new Metrics(await this.read('/metrics'));
  }

  /** Has all UDP packets lost, or none any more; of a server with --debug-faults. */
  cutUDP(cut: boolean): Promise<void> {
    return this.fault(`udp-cut/${cut}`);
  }

  /** Has all members of a room that can use WebRTC receive by one path from now on; of a server with --debug-faults. */
  async force(room: string, path: 'webrtc' | 'websocket' | 'any'): Promise<void> {
    const members = [...(await this.members(room)).values()];
    await Promise.all(members.map(({ id }) => this.fault(`path/${room}/${id}/${path}`)));
  }

  private async fault(what: string): Promise<void> {
    const answer = await fetch(`${this.url}/debug/${what}`, { method: 'POST' });
    if (answer.status !== 204) throw new Error(`the server answers ${answer.status}: ${await answer.text()}`);
  }

  async rooms(): Promise<RoomStatus[]> {
    return (JSON.parse(await this.read('/api/rooms')) as { rooms: RoomStatus[] }).rooms;
  }

  /** The members of a room, by name. */
  async members(room: string): Promise<Map<string, MemberStatus>> {
    const rooms = await this.rooms();
    return new Map((rooms.find((r) => r.room === room)?.members ?? []).map((m) => [m.name, m] as const));
  }

  /** Ends it by a signal at which it tells what each goroutine does. */
  async autopsy(): Promise<string> {
    const before = this.log.length;
    const ended = new Promise((done) => this.process.once('close', done));
    this.process.kill('SIGQUIT');
    await ended;
    return this.log.slice(before).join('\n');
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Asks the server to end, and returns its exit code. */
  async stop(): Promise<number> {
    this.process.kill('SIGTERM');
    try {
      await until('the server has ended', () => !this.running, { ms: 10_000, every: 10 });
    } catch (error) {
      this.process.kill('SIGKILL');
      throw error;
    }
    return this.process.exitCode ?? -1;
  }

  private said(what: string): { url: string } | undefined {
    return this.log.filter((line) => line.includes(`"${what}"`)).map((line) => JSON.parse(line) as { msg: string; url: string })
      .find((entry) => entry.msg === what);
  }

  private endedEarly(): undefined {
    if (!this.running) throw new Error(`the server ended: ${this.log.join('\n')}`);
  }

  /** One request on a connection of its own, so that reading the counters leaves nothing open. */
  private read(path: string): Promise<string> {
    const { key } = this.options;
    const headers = key ? { authorization: `Bearer ${adminToken(key)}` } : {};
    return new Promise((resolve, reject) => {
      const request = get(this.url + path, { agent: false, headers, timeout: 5_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`${path}: ${response.statusCode} ${text}`))));
      });
      request.on('error', reject);
      request.on('timeout', () => request.destroy(new Error(`${path}: no answer`)));
    });
  }
}
