// What this browser lacks, in words; and what it can decode.

interface Need {
  name: string;
  /** Also where neither sound nor pictures are wanted. */
  always?: true;
  there: () => boolean;
}

const NEEDS: Need[] = [
  { name: 'a secure page (https, or localhost)', always: true, there: () => globalThis.isSecureContext },
  { name: 'WebSocket', always: true, there: () => 'WebSocket' in globalThis },
  { name: 'module workers', always: true, there: () => 'Worker' in globalThis },
  { name: 'WebCodecs video', there: () => 'VideoEncoder' in globalThis && 'VideoDecoder' in globalThis && 'VideoFrame' in globalThis },
  { name: 'WebCodecs audio', there: () => 'AudioEncoder' in globalThis && 'AudioDecoder' in globalThis },
  { name: 'OffscreenCanvas', there: () => 'OffscreenCanvas' in globalThis },
  { name: 'AudioWorklet', there: () => 'AudioWorkletNode' in globalThis },
];

/** What is missing in this browser for a call, or without media for chat and topics; empty when nothing is. */
export function supported(media = true): string[] {
  return NEEDS.filter(({ always, there }) => (media || always) && !there()).map(({ name }) => name);
}

const VIDEO: Record<string, string> = { vp8: 'vp8', vp9: 'vp09.00.31.08', h264: 'avc1.42e01f', av1: 'av01.0.05M.08' };

/** Names of the codecs that can be decoded here. */
export async function decodable(): Promise<string[]> {
  const can = async (check: Promise<{ supported?: boolean }>): Promise<boolean> => (await check.catch(() => undefined))?.supported ?? false;
  const opus = can(AudioDecoder.isConfigSupported({ codec: 'opus', sampleRate: 48_000, numberOfChannels: 2 }));
  const names = Object.keys(VIDEO);
  const videos = names.map((name) => can(VideoDecoder.isConfigSupported({ codec: VIDEO[name]! })));
  const found = await Promise.all([opus, ...videos]);
  return ['opus', ...names].filter((_, i) => found[i]);
}
