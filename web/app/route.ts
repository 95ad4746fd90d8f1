// Addresses: "/" is the start page, "/r/ROOM" the page of a room and the link to share, "/recordings/ID" that of a recording. A token
// comes in the fragment, which a browser never sends to a server.

const roomPath = /^\/r\/([^/]+)\/?$/;
const recordingPath = /^\/recordings\/([^/]+)\/?$/;

/** The room that a path names, as typed; undefined on the start page. */
export const roomOfPath = (path: string): string | undefined => partOf(path, roomPath);

/** The recording that a path names. */
export const recordingOfPath = (path: string): string | undefined => partOf(path, recordingPath);

function partOf(path: string, form: RegExp): string | undefined {
  const match = form.exec(path);
  if (!match?.[1]) return undefined;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return match[1];
  }
}

export const pathOfRoom = (room: string): string => `/r/${encodeURIComponent(room)}`;

export const pathOfRecording = (id: string): string => `/recordings/${encodeURIComponent(id)}`;

/** Whom a token is for that is to watch a recording: it is joined as a room of this name is. */
export const recordingRoom = (id: string): string => `recordings/${id}`;

/** The link to share. It never carries the token: that one is personal. */
export const linkOfRoom = (origin: string, room: string): string => origin + pathOfRoom(room);

/** Takes "token=..." out of a fragment. rest is the fragment without it, "" or with a leading "#". */
export function splitToken(hash: string): { token: string | undefined; rest: string } {
  const parts = hash.replace(/^#/, '').split('&');
  const found = parts.find((part) => part.startsWith('token='));
  const rest = parts.filter((part) => part !== '' && !part.startsWith('token=')).join('&');
  let token = found?.slice('token='.length) || undefined;
  try {
    token = token && decodeURIComponent(token);
  } catch {
    // Not percent-encoded after all: taken as it stands.
  }
  return { token, rest: rest && `#${rest}` };
}

/** "?transport=auto" lets what is received move to WebRTC. */
export const transportOf = (search: string): 'auto' | 'ws' => (new URLSearchParams(search).get('transport') === 'auto' ? 'auto' : 'ws');

type Box = Pick<Storage, 'getItem' | 'setItem'>;

interface Page {
  location: Pick<Location, 'hash' | 'pathname' | 'search'>;
  history: Pick<History, 'replaceState' | 'state'>;
}

const memory = new Map<string, string>();

/** Where tokens are kept: the tab's session storage; where that is switched off, memory until the page is reloaded. */
export const tokenBox: Box = {
  getItem(key) {
    try {
      return sessionStorage.getItem(key) ?? memory.get(key) ?? null;
    } catch {
      return memory.get(key) ?? null;
    }
  },
  setItem(key, token) {
    memory.set(key, token);
    try {
      sessionStorage.setItem(key, token);
    } catch {
      // Memory has it.
    }
  },
};

const keyOf = (room: string | undefined): string => `landline.token ${room ?? ''}`;

/**
 * Moves a token from the address bar into the tab's session storage, so that it is neither seen, nor bookmarked, nor
 * shared with the link, and still outlives a reload.
 */
export function claimToken(page: Page, box: Box = tokenBox): void {
  const { token, rest } = splitToken(page.location.hash);
  if (token === undefined) return;
  const { pathname, search } = page.location;
  page.history.replaceState(page.history.state, '', pathname + search + rest);
  const recording = recordingOfPath(pathname);
  box.setItem(keyOf(recording === undefined ? roomOfPath(pathname) : recordingRoom(recording)), token);
}

/**
 * Puts the token for a room where the page of one of its recordings finds it. A page that is opened by a link of this one begins with
 * what the tab's session storage holds.
 */
export function lendToken(room: string, recording: string, box: Box = tokenBox): void {
  const token = tokenFor(room, box);
  if (token !== undefined) box.setItem(keyOf(recordingRoom(recording)), token);
}

/** The token for a room: the one that came with the room's link, else the one that came with the start page. */
export function tokenFor(room: string, box: Pick<Box, 'getItem'> = tokenBox): string | undefined {
  return box.getItem(keyOf(room)) ?? box.getItem(keyOf(undefined)) ?? undefined;
}
