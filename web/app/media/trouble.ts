// Why a camera or microphone cannot be had, and the words for it.

export type Kind = 'mic' | 'camera';

/**
 * denied: the person or a policy said no. missing: there is none. busy: another program holds it. failed: anything else.
 */
export type Trouble = 'denied' | 'missing' | 'busy' | 'failed';

/** From the name of the DOMException that getUserMedia threw (Media Capture and Streams, section 10.2). */
export function troubleOf(error: unknown): Trouble {
  switch ((error as { name?: string } | undefined)?.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}

const nouns: Record<Kind, string> = { mic: 'microphone', camera: 'camera' };

/** What happened and what to do, for one device or for both. */
export function troubleText(kinds: readonly Kind[], trouble: Trouble): { title: string; advice: string } {
  const both = kinds.length > 1;
  const noun = kinds.map((kind) => nouns[kind]).join(' and ');
  const title = noun.charAt(0).toUpperCase() + noun.slice(1);
  const [are, them] = both ? ['are', 'them'] : ['is', 'it'];
  switch (trouble) {
    case 'denied':
      return {
        title: `${title} ${are} blocked`,
        advice: `Allow ${them} for this site: the icon beside the address opens the permissions. Then try again.`,
      };
    case 'missing':
      return {
        title: both ? 'No camera and no microphone found' : `No ${noun} found`,
        advice: both ? 'Plug them in and they are picked up by themselves.' : 'Plug one in and it is picked up by itself.',
      };
    case 'busy':
      return { title: `${title} ${are} in use`, advice: `Another program holds ${them}. Close that program, then try again.` };
    case 'failed':
      return { title: `${title} did not start`, advice: 'Try again, or choose another device.' };
  }
}
