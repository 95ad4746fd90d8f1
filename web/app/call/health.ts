import type { LayerSent, LayerWhy, RoomStats, TrackStats, TransportWhy, UplinkStats, VideoSent } from '../../sdk';

export type Grade = 'good' | 'fair' | 'poor';

export interface Health {
  grade: Grade;
  title: string;
  /** Sentences for people, the most important first. */
  reasons: string[];
}

/** A round trip above these, in ms, is felt in a conversation. */
const slowTrip = 250;
const verySlowTrip = 600;

/** Share of replaced sound that is heard as crackle, and as gaps. */
const crackle = 0.02;
const gaps = 0.1;

const total = (drops: Record<string, number>): number => Object.values(drops).reduce((sum, n) => sum + n, 0);

/** Drops that tell of trouble. What is paused because nobody looks at it does not, nor what another size came for. */
function harmful(drops: Record<string, number>): number {
  return total(drops) - ['paused', 'catch-up', 'layer'].reduce((sum, reason) => sum + (drops[reason] ?? 0), 0);
}

/** Puts what happened between two looks at the connection into words. */
export function healthOf(now: RoomStats, before: RoomStats | undefined): Health {
  const poor: string[] = [];
  const fair: string[] = [];
  if (now.uplink.rtt > slowTrip) (now.uplink.rtt > verySlowTrip ? poor : fair).push('The way to the server and back is slow.');
  if (now.uplink.queueAge > 300) poor.push('Your connection cannot carry your picture; parts of it are left out.');
  else if (before && grew(now.uplink.drops, before.uplink.drops)) fair.push('Some of your pictures were left out to keep up.');
  const lowered = now.uplink.video.find(({ why }) => why !== undefined);
  if (lowered) (farDown(lowered) ? poor : fair).push(`Others see less of your ${pictureName(lowered.track)}: ${whyWords[lowered.why!]}.`);
  const concealed = Math.max(0, ...now.tracks.map((track) => track.concealed));
  if (concealed > crackle) (concealed > gaps ? poor : fair).push('Sound arrives with gaps.');
  const small = new Set(now.tracks.filter(({ hidden }) => !hidden).map(({ layer }) => layer?.why));
  if (small.has('link')) fair.push('Your connection does not carry all pictures in full; some are small.');
  if (small.has('device')) fair.push('This device does not keep up with all pictures; some are small.');
  const skipping = before && now.tracks.some((track) => grew(track.drops, sameTrack(before, track)?.drops ?? {}));
  if (skipping) fair.push('Some pictures came too late and were skipped.');
  const frozen = now.tracks.map((track) => standstill(track, before && sameTrack(before, track))).find((why) => why !== undefined);
  if (frozen) poor.push(`A picture stands still: ${frozen}.`);
  if (poor.length > 0) return { grade: 'poor', title: 'Poor connection', reasons: [...poor, ...fair] };
  if (fair.length > 0) return { grade: 'fair', title: 'Fair connection', reasons: fair };
  return { grade: 'good', title: 'Good connection', reasons: ['Sound and pictures arrive as they should.'] };
}

/** In the lower half of what can be made of a picture. */
const farDown = ({ step, steps }: VideoSent): boolean => step >= steps / 2;

const pictureName = (track: string): string => (track === 'screen' ? 'screen' : 'picture');

const whyWords: Record<NonNullable<VideoSent['why']>, string> = {
  connection: 'your connection is slow',
  device: 'this device is slow',
};

const smaller: Record<Exclude<LayerWhy, 'asked'>, (name: string) => string> = {
  link: () => 'Your connection is slow',
  device: () => 'This device is slow',
  publisher: (name) => `${name}’s connection is slow`,
};

/** Why a picture comes smaller than it is asked for, as said on its tile; undefined when it does not. */
export function smallWords({ layer }: TrackStats, name: string): string | undefined {
  if (!layer || layer.why === 'asked' || layer.height >= Math.max(...layer.of)) return undefined;
  return `${smaller[layer.why](name)}: showing the small picture`;
}

/** Why a camera's picture stands still; undefined when it moves, or was never there. A screen may well stand still. */
export function standstill(track: TrackStats, before: TrackStats | undefined): string | undefined {
  if (track.kind !== 'video' || track.track === 'screen' || track.hidden || !before || !track.width || track.rate >= 1) return undefined;
  const grown = Object.entries(track.drops)
    .map(([reason, count]) => [reason, count - (before.drops[reason] ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
  const [reason] = grown[0] ?? [];
  if (reason !== undefined) return frozenWords[reason] ?? reasonWords[reason] ?? reason;
  return track.bitrate > 0 ? 'this device cannot decode it' : 'nothing comes from its sender';
}

function grew(now: Record<string, number>, before: Record<string, number>): boolean {
  return harmful(now) > harmful(before);
}

export function sameTrack(stats: RoomStats, wanted: TrackStats): TrackStats | undefined {
  return stats.tracks.find((track) => track.member === wanted.member && track.track === wanted.track);
}

// Reasons of docs/protocol.md section 7, and those of the sender in this page.
const reasonWords: Record<string, string> = {
  age: 'too old to be of use',
  bytes: 'too much was waiting',
  gate: 'skipped until the next full picture',
  publisher: 'left out by the sender',
  lost: 'the sender’s connection broke',
  'catch-up': 'joined late, caught up too slowly',
  paused: 'not shown here, so not sent',
  quiet: 'others spoke louder',
  layer: 'another size came instead',
  temporal: 'every second picture left out, your connection is slow',
  uplink: 'your connection is slow',
  encoder: 'this device codes too slowly',
};

/** The reasons of the relay, as an answer to "why is this picture frozen". */
const frozenWords: Record<string, string> = {
  age: 'your connection is too slow for it',
  bytes: 'your connection is too slow for it',
  gate: 'it waits for its next full picture',
  publisher: 'its sender left it out',
  lost: 'its sender’s connection broke',
  paused: 'it is not shown here, so it is not sent',
};

/** The same seen from the sender's end, where that makes a difference. */
const ownReasonWords: Record<string, string> = { ...reasonWords, lost: 'your connection broke' };

/** One line per reason, the most frequent first: "12 (too old to be of use)". */
export function dropLines(drops: Record<string, number>, words = reasonWords): string[] {
  return Object.entries(drops)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} (${words[reason] ?? reason})`);
}

export const ms = (value: number): string => (Number.isFinite(value) ? `${Math.round(value)} ms` : '–');

export function rate(bits: number): string {
  if (!Number.isFinite(bits)) return '–';
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1e3)} kbit/s`;
}

const transportWhys: Record<TransportWhy, string> = {
  asked: 'WebRTC was not asked for',
  server: 'this server has no WebRTC',
  browser: 'this browser has no WebRTC that fits',
  trying: 'WebRTC is being tried',
  blocked: 'UDP is blocked here',
  lost: 'UDP does not get through any more',
  loss: 'too much is lost by UDP',
  refused: 'the server refused WebRTC',
};

/** What carries media, and why it is that. */
export function transportWords({ tracks, transportWhy }: RoomStats): string {
  const moved = tracks.filter(({ transport }) => transport === 'webrtc').length;
  if (transportWhy) return `WebSocket: ${transportWhys[transportWhy]}`;
  if (moved === 0) return 'WebSocket, WebRTC is ready';
  return moved === tracks.length ? 'WebRTC; what is sent goes by WebSocket' : 'WebRTC and WebSocket; what is sent goes by WebSocket';
}

/** Rows of label and value about what is sent. */
export function uplinkRows(uplink: UplinkStats): [string, string][] {
  return [
    ['Round trip', `${ms(uplink.rtt)}, and ${ms(uplink.delay)} of queue`],
    ['Sent', rate(uplink.bitrate)],
    ['Takes', uplink.capacity > 0 ? rate(uplink.capacity) : 'more than is sent'],
    ['Waits here', ms(uplink.queueAge)],
    ['Left out', dropLines(uplink.drops, ownReasonWords).join(', ') || 'nothing'],
  ];
}

/** Rows of label and value about one's own camera or screen. */
export function videoRows(video: VideoSent): [string, string][] {
  const place = video.step === 0 ? 'full size and rate' : `step ${video.step + 1} of ${video.steps}`;
  if (video.layers.length > 0 && video.layers.every(({ bitrate }) => bitrate === 0)) return [['Picture', 'not sent: nobody looks at it now']];
  return [
    ['Picture', `${video.width} × ${video.height}, up to ${video.fps} a second`],
    ['Aims for', rate(video.bitrate)],
    ['Quality', video.why ? `${place}, lowered: ${whyWords[video.why]}` : place],
    ...(video.layers.length > 1 ? [['Sizes', video.layers.map(sizeWords).join(', ')] as [string, string]] : []),
  ];
}

function sizeWords({ height, bitrate, room }: LayerSent): string {
  return `${height} ${bitrate > 0 ? `at ${rate(bitrate)}` : room ? 'not asked for' : 'not made'}`;
}

function layerRow({ layer }: TrackStats): [string, string][] {
  if (!layer) return [];
  const others = layer.of.filter((height) => height !== layer.height);
  return [['Size', `${layer.height} (there is ${others.join(' and ')} as well): ${layerWords[layer.why]}`]];
}

const layerWords: Record<LayerWhy, string> = {
  asked: 'as is of use here',
  link: 'your connection is slow',
  device: 'this device is slow',
  publisher: 'its sender’s connection is slow',
};

function pace(track: TrackStats, before: TrackStats | undefined): string {
  const frozen = track.hidden ? reasonWords['paused'] : standstill(track, before);
  return frozen ? `none: ${frozen}` : `${Math.round(track.rate)} a second`;
}

/** Rows of label and value about one received track; before: as it was at the last look. */
export function trackRows(track: TrackStats, before?: TrackStats): [string, string][] {
  const size = track.width && track.height ? `, ${track.width} × ${track.height}` : '';
  const rows: [string, string][] = [
    ['Format', `${track.codec}${size}`],
    ...layerRow(track),
    ['Received', `${rate(track.bitrate)} by ${track.transport === 'webrtc' ? 'WebRTC' : 'WebSocket'}`],
    [track.kind === 'video' ? 'Pictures' : 'Packets', pace(track, before)],
    ['Delay', `${ms(track.latency)} from capture`],
    ['Buffer', `${ms(track.delay)} of ${ms(track.targetDelay)} aimed for`],
    ['Jitter', ms(track.jitter)],
  ];
  if (track.kind === 'audio') rows.push(['Replaced', `${(track.concealed * 100).toFixed(1)} %`]);
  rows.push(['Dropped', dropLines(track.drops).join(', ') || 'nothing']);
  return rows;
}
