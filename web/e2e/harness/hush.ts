// A browser that is driven reports each message of its WebSockets to the harness, with its bytes. Of a call in two pages that takes
// an eighth of a core, which who times them takes from them.

import type { Page } from 'playwright-core';

/** What Playwright keeps behind a page: of the pinned version, not of its documented interface. */
interface Behind {
  delegate: { _networkManager: { _sessions: Map<{ send(method: string): Promise<unknown> }, unknown> } };
}

/** Ends such reports of a page and the workers that it has now. It cannot be led to another address any more. */
export async function hush(page: Page): Promise<void> {
  const { toImpl } = (page as unknown as { _connection: { toImpl(of: Page): Behind } })._connection;
  const sessions = [...toImpl(page).delegate._networkManager._sessions.keys()];
  await Promise.all(sessions.map((session) => session.send('Network.disable')));
}
