// Two temporal layers where the encoder makes them: every second picture is needed by no other, so that the relay may leave it out
// for those whose link is full.

const MODE = 'L1T2';
const PROBE = { codec: 'vp8', width: 640, height: 360, bitrate: 500_000, framerate: 30, latencyMode: 'realtime', scalabilityMode: MODE } as const;

let answer: Promise<void> | undefined;
let mode: Pick<VideoEncoderConfig, 'scalabilityMode'> = {};

/** Asks the platform, once; until it has answered there is one temporal layer. */
export function probeTemporal(): Promise<void> {
  answer ??= ask();
  return answer;
}

async function ask(): Promise<void> {
  try {
    const { supported, config } = await VideoEncoder.isConfigSupported(PROBE);
    if (supported && config?.scalabilityMode === MODE) mode = { scalabilityMode: MODE };
  } catch {
    // A platform that does not even know how to answer makes one layer.
  }
}

/** What to tell an encoder of it; the same object as long as it is the same. */
export function temporalMode(): Pick<VideoEncoderConfig, 'scalabilityMode'> {
  return mode;
}
