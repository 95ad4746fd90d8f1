// Landline in the browser: join a room, publish tracks, show and hear the others.

import type { JoinOptions, Room } from './api';
import { WorkerRoom } from './room';

export * from './api';
export { roomName } from './names';
export { supported } from './support';

/** Enters a room. Rejects with a JoinError. */
export function join(options: JoinOptions): Promise<Room> {
  return WorkerRoom.join(options);
}
