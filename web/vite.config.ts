import { defineConfig } from 'vitest/config';

// The relay serves dist/app under "/" and index.html for every /r/ROOM.
export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  worker: { format: 'es' },
  build: { outDir: 'dist/app', target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/ws': { target: 'http://127.0.0.1:8080', ws: true } } },
  test: { include: ['sdk/**/*.test.ts', 'app/**/*.test.{ts,tsx}'], environment: 'node' },
});
