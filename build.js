/**
 * Makes dist/: the program and its small dependencies in a few files, because loading a hundred small modules costs
 * more than most verbs do. What holds native code, and SSB's stack, stays in node_modules.
 */
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: [
    { in: 'src/cli/main.ts', out: 'main' },
    // Threads begin with files of their own; this one is found beside the chunk that starts it.
    { in: 'src/notify/match-worker.ts', out: 'match-worker' },
    { in: 'src/peer/engines/sqlite/signature-worker.js', out: 'chunks/signature-worker' },
  ],
  outdir: 'dist',
  entryNames: '[dir]/[name]',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['ssb-*', 'chloride', 'epidemic-broadcast-trees', 'multiserver', 'stream-to-pull-stream', 'ws', '@photostructure/sqlite'],
  // commander and split2 are CommonJS and call require.
  banner: { js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);" },
  legalComments: 'none',
  logLevel: 'warning',
});
