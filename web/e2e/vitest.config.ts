import { defineConfig } from 'vitest/config';

// One test at a time: each starts browsers of its own, and times what it sees.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.e2e.ts'],
    // Minutes of measurement, which a short run would tell nothing of.
    exclude: process.env['LANDLINE_LONG'] === '1' ? [] : ['loss.e2e.ts'],
    environment: 'node',
    globalSetup: ['harness/prepare.ts'],
    pool: 'forks',
    // Node 20 has a WebSocket, but not without being asked.
    poolOptions: { forks: { execArgv: ['--experimental-websocket'] } },
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});
