// Two temporal layers where the encoder makes them: every second picture is needed by no other, so that the relay may leave it out
// for those whose link is full. It costs up to 1.7 dB, and at low bitrates Chromium's encoder makes half as much again as it is
// told, so only a camera at its best has them.

const MODE = 'L1T2';
const PROBE = { codec: 'vp8', width: 640, height: 360, bitrate: 500_000, framerate: 30, latencyMode: 'realtime', scalabilityMode: MODE } as const;

let answer: Promise<void> | undefined;
let mode: string | undefined;

/** Asks the platform, once; until it has answered there is one temporal layer. */
export function probeTemporal(): Promise<void> {
  answer ??= ask();
  return answer;
}

async function ask(): Promise<void> {
  try {
    const { supported, config } = await VideoEncoder.isConfigSupported(PROBE);
    if (supported && config?.scalabilityMode === MODE) mode = MODE;
  } catch {
    // A platform that does not even know how to answer makes one layer.
  }
}

/** What an encoder is to be told; undefined where it makes one layer. */
export function temporalMode(): string | undefined {
  return mode;
}
