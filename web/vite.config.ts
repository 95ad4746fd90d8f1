import { defineConfig } from 'vitest/config';

// The relay serves dist/app under "/" and index.html for every /r/ROOM. The examples are pages of their own.
const pages = ['index.html', 'examples/ticker.html', 'examples/game.html'];

export default defineConfig({
  // Licences of what is bundled stay in it.
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'eof' },
  worker: { format: 'es' },
  build: { outDir: 'dist/app', target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, rollupOptions: { input: pages } },
  server: { proxy: { '/ws': { target: 'http://127.0.0.1:8080', ws: true } } },
  test: { include: ['sdk/**/*.test.ts', 'app/**/*.test.{ts,tsx}', 'examples/**/*.test.ts'], environment: 'node' },
});
