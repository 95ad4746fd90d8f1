// Addresses of a server, from that of its WebSocket.

/** What stands beside the WebSocket of a server. */
export function siblingUrl(socket: string, name: string): string {
  const url = new URL(socket);
  url.protocol = url.protocol === 'ws:' ? 'http:' : 'https:';
  url.pathname = url.pathname.replace(/ws$/, name);
  return url.href;
}
