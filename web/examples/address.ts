// The address of an example: EXAMPLE.html#ROOM, and #ROOM&token=TOKEN where the server has keys.

export interface Place {
  room: string;
  token: string;
}

/** Reads a fragment; what is not there is ''. */
export function placeOf(hash: string): Place {
  const parts = hash.replace(/^#/, '').split('&').filter(Boolean);
  const token = parts.find((part) => part.startsWith('token='))?.slice('token='.length) ?? '';
  const room = parts.find((part) => !part.includes('=')) ?? '';
  return { room: decoded(room), token: decoded(token) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The room and token of this page. The token is moved out of the address, so that a shared link does not carry it. */
export function claimPlace(): Place {
  const { room, token } = placeOf(location.hash);
  const kept = token || ((history.state as { token?: string } | null)?.token ?? '');
  if (token) show(room, token);
  return { room, token: kept };
}

/** Makes the address the link to a room. */
export function show(room: string, token: string): void {
  history.replaceState({ token }, '', `${location.pathname}#${room}`);
}
