// Entry of the worker: one per room.

import type { ToPage, ToWorker } from './bridge';
import { Engine } from './engine';

declare const self: DedicatedWorkerGlobalScope;

let engine: Engine | undefined;

function post(message: ToPage, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer);
}

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.do !== 'start') engine?.handle(message);
  else engine ??= new Engine(message.options, (url, protocol) => new WebSocket(url, protocol), post, message.transport);
};
