// Entry of the worker: one per open recording.

import type { FromViewer, ToViewer } from './bridge';
import { Viewing } from './viewing';

declare const self: DedicatedWorkerGlobalScope;

let viewing: Viewing | undefined;

function post(message: FromViewer, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer);
}

self.onmessage = ({ data: message }: MessageEvent<ToViewer>) => {
  if (message.do !== 'open') viewing?.handle(message);
  else viewing ??= new Viewing(message, (url, protocol) => new WebSocket(url, protocol), post, () => self.close());
};
