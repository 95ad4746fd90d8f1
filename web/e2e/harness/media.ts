// What fake cameras and microphones play, made with ffmpeg. A camera's picture carries a stamp: 16 blocks of 40x40
// pixels along its top, one bit each, lowest first: 12 bits of frame number, 4 bits that say whose camera it is.

import { execFileSync } from 'node:child_process';

/** Who may take part. The tones are far apart, and none is a harmonic of another. */
export const cast = {
  ann: { key: 'ann', name: 'Ann', id: 1, hz: 600 },
  bob: { key: 'bob', name: 'Bob', id: 2, hz: 1000 },
  cyd: { key: 'cyd', name: 'Cyd', id: 3, hz: 1700 },
} as const;

export type Role = keyof typeof cast;

const FPS = 30;
/** A camera's frame numbers run from 0 to this, and begin again. */
export const LOOP_FRAMES = 300;
/** A beeping microphone beeps at every multiple of this, each time at the next of these pitches. */
const BEEP_EVERY = 0.4;
const BEEPS_HZ = [500, 800, 1100, 1400];
const BEEP = 0.08;
const STAMP_IDS = 4096;

function ffmpeg(...args: string[]): void {
  execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
}

/** The inputs and the filter that draw the stamped test picture; the result is labelled [v]. */
function stampedPicture(id: number, seconds: number): string[] {
  const bit = `mod(floor((N+${id * STAMP_IDS})/pow(2,floor(X/40))),2)`;
  return [
    '-f', 'lavfi', '-i', `color=black:size=640x40:rate=${FPS}:duration=${seconds},format=yuv420p,geq=lum='if(${bit},235,16)':cb=128:cr=128`,
    '-f', 'lavfi', '-i', `testsrc2=size=640x320:rate=${FPS}:duration=${seconds},format=yuv420p`,
    '-filter_complex', '[0:v][1:v]vstack=shortest=1[v]',
  ];
}

export function stampedCamera(path: string, id: number): void {
  ffmpeg(...stampedPicture(id, LOOP_FRAMES / FPS), '-map', '[v]', '-c:v', 'mjpeg', '-q:v', '4', '-pix_fmt', 'yuvj420p', path);
}

export function steadyMic(path: string, hz: number): void {
  ffmpeg('-f', 'lavfi', '-i', `sine=frequency=${hz}:sample_rate=48000:duration=4`, '-ac', '1', '-c:a', 'pcm_s16le', path);
}

/** Tones of which each has whole cycles in the length of the file, which is played again and again. */
export function timedMic(path: string, tones: readonly { hz: number; level: number }[]): void {
  const sum = tones.map(({ hz, level }) => `${level}*sin(2*PI*${hz}*t)`).join('+');
  ffmpeg('-f', 'lavfi', '-i', `aevalsrc='${sum}':s=48000:d=4`, '-ac', '1', '-c:a', 'pcm_s16le', path);
}

export function beepingMic(path: string): void {
  const period = BEEPS_HZ.length * BEEP_EVERY;
  const hz = `(${BEEPS_HZ[0]}+${BEEPS_HZ[1]! - BEEPS_HZ[0]!}*floor(mod(t,${period})/${BEEP_EVERY}))`;
  const beep = `if(lt(mod(t,${BEEP_EVERY}),${BEEP}),0.5*sin(2*PI*${hz}*t),0)`;
  ffmpeg('-f', 'lavfi', '-i', `aevalsrc='${beep}':s=48000:d=${5 * period}`, '-ac', '1', '-c:a', 'pcm_s16le', path);
}

export interface Clip {
  id: number;
  seconds: number;
  hz: number;
  /** Seconds between key frames. */
  keyEvery: number;
  /** kbit/s of the picture. */
  kbps?: number;
}

/** A VP8 and Opus clip with a stamped picture and a tone. */
export function stampedClip(path: string, { id, seconds, hz, keyEvery, kbps = 600 }: Clip): void {
  const gop = String(keyEvery * FPS);
  ffmpeg(
    ...stampedPicture(id, seconds), '-f', 'lavfi', '-i', `sine=frequency=${hz}:sample_rate=48000:duration=${seconds}`,
    '-map', '[v]', '-map', '2:a', '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', `${kbps}k`, '-g', gop,
    '-keyint_min', gop, '-auto-alt-ref', '0', '-lag-in-frames', '0', '-c:a', 'libopus', '-b:a', '48k', '-ac', '1', '-f', 'webm', path,
  );
}

/** A stamped picture and a tone as no relay carries them: H.264 with B-frames, and AAC in six channels with the tone in the middle one. */
export function foreignClip(path: string, { id, seconds, hz }: Omit<Clip, 'keyEvery'>): void {
  const middle = `aevalsrc='0|0|0.35*sin(2*PI*${hz}*t)|0|0|0':c=5.1:s=44100:d=${seconds}`;
  ffmpeg(
    ...stampedPicture(id, seconds), '-f', 'lavfi', '-i', middle, '-map', '[v]', '-map', '2:a', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2',
    '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '192k', '-movflags', '+faststart', path,
  );
}

/** A VP8 and Opus clip that is black and silent, but for the first tenth of each second, when it is white and beeps. */
export function flashingClip(path: string, seconds: number): void {
  const on = 'lt(mod(t,1),0.1)';
  ffmpeg(
    '-f', 'lavfi', '-i', `color=black:s=640x360:r=${FPS}:d=${seconds},drawbox=c=white:t=fill:enable='${on}'`,
    '-f', 'lavfi', '-i', `aevalsrc='if(${on},0.5*sin(2*PI*1000*t),0)':s=48000:d=${seconds}`,
    '-map', '0:v', '-map', '1:a', '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '600k', '-g', String(2 * FPS),
    '-auto-alt-ref', '0', '-lag-in-frames', '0', '-c:a', 'libopus', '-b:a', '48k', '-ac', '1', '-f', 'webm', path,
  );
}
