// What this browser remembers between visits. Storage may be switched off; then nothing is remembered.

export type Sound = 'clean' | 'original';
export type Picture = 'low' | 'standard' | 'high';

export interface Prefs {
  name: string;
  /** Device ids as the browser gave them; "" is its default. */
  mic: string;
  camera: string;
  speaker: string;
  micOn: boolean;
  cameraOn: boolean;
  /** clean: echo and noise are taken out. original: the microphone as it is, for music. */
  sound: Sound;
  picture: Picture;
}

const key = 'landline.prefs';

const defaults: Prefs = {
  name: '',
  mic: '',
  camera: '',
  speaker: '',
  micOn: true,
  cameraOn: true,
  sound: 'clean',
  picture: 'standard',
};

/** Reads what was saved, field by field: a value of another type counts as absent. */
export function parsePrefs(text: string | null): Prefs {
  let saved: unknown;
  try {
    saved = JSON.parse(text ?? '{}');
  } catch {
    saved = {};
  }
  const prefs: Record<string, unknown> = { ...defaults };
  for (const [field, fallback] of Object.entries(defaults)) {
    const value = (saved as Record<string, unknown> | null)?.[field];
    if (typeof value === typeof fallback) prefs[field] = value;
  }
  if (prefs['sound'] !== 'original') prefs['sound'] = 'clean';
  if (prefs['picture'] !== 'low' && prefs['picture'] !== 'high') prefs['picture'] = 'standard';
  return prefs as unknown as Prefs;
}

export function loadPrefs(): Prefs {
  try {
    return parsePrefs(localStorage.getItem(key));
  } catch {
    return { ...defaults };
  }
}

export function savePrefs(patch: Partial<Prefs>): void {
  try {
    localStorage.setItem(key, JSON.stringify({ ...loadPrefs(), ...patch }));
  } catch {
    // Storage is off or full; the choice holds for this visit.
  }
}
