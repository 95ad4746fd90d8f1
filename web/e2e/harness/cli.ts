// The headless commands as processes.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { inject, onTestFinished } from 'vitest';
import { until } from './wait';

export class Command {
  private stdout = '';
  private stderr = '';

  private constructor(
    private readonly process: ChildProcess,
    private readonly what: string,
  ) {
    process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  /** Starts "landline COMMAND ..." in a room; it is killed when the test ends, if it still runs then. */
  static start(command: 'stream' | 'watch' | 'send' | 'receive', server: string, room: string, ...args: string[]): Command {
    const all = [command, '--url', server, '--room', room, '--json', ...args];
    const child = spawn(inject('landline'), all, { stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return new Command(child, `landline ${all.join(' ')}`);
  }

  /** Asks it to end. */
  interrupt(): void {
    this.process.kill('SIGTERM');
  }

  /** Waits until it has ended well, and returns what it reported. */
  async report<T>(ms: number): Promise<T> {
    await until(`${this.what} has ended`, () => this.process.exitCode !== null || this.process.signalCode !== null, { ms });
    if (this.process.exitCode !== 0) throw new Error(`${this.what}: exit code ${this.process.exitCode}: ${this.stderr}`);
    return JSON.parse(this.stdout) as T;
  }
}

export interface Probed {
  codec_name: string;
  codec_type: 'video' | 'audio';
  width?: number;
  height?: number;
  nb_read_frames: string;
}

/** The streams of a file, with their decoded frames counted. */
export function ffprobe(path: string): Probed[] {
  const args = ['-v', 'error', '-count_frames', '-show_entries', 'stream=codec_name,codec_type,width,height,nb_read_frames', '-of', 'json', path];
  return (JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })) as { streams: Probed[] }).streams;
}

export interface Packet {
  codec_type: 'video' | 'audio';
  pts_time: string;
  size: string;
  data_hash: string;
}

/** The packets of a file's pictures and of its sound, in their order. */
export function packets(path: string): Record<Packet['codec_type'], Packet[]> {
  const args = ['-v', 'error', '-show_packets', '-show_data_hash', 'md5', '-show_entries', 'packet=codec_type,pts_time,size,data_hash', '-of', 'json', path];
  const all = (JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8', maxBuffer: 1 << 26 })) as { packets: Packet[] }).packets;
  const of = (kind: Packet['codec_type']): Packet[] => all.filter(({ codec_type }) => codec_type === kind);
  return { video: of('video'), audio: of('audio') };
}

/** What ffmpeg complains about while it decodes the whole file. */
export function decodeErrors(path: string): string {
  const args = ['-v', 'error', '-nostdin', '-xerror', '-i', path, '-f', 'null', '-'];
  return execFileSync('ffmpeg', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Mean level in dB of a file's sound in a narrow band around a frequency, over some of its seconds. */
export function bandLevel(path: string, hz: number, from: number, seconds: number): number {
  const filter = `atrim=start=${from}:duration=${seconds},bandpass=frequency=${hz}:width_type=h:width=60,astats=metadata=0`;
  const text = execFileSync('sh', ['-c', 'ffmpeg -nostdin -hide_banner -i "$0" -vn -af "$1" -f null - 2>&1', path, filter], { encoding: 'utf8' });
  return Number(/RMS level dB: (\S+)/.exec(text)?.[1]);
}
