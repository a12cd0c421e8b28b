/**
 * Makes dist/: the program and its small dependencies in one file, because loading a hundred small modules costs more
 * than most verbs do, and what V8 compiles of it for every verb. What holds native code, and SSB's stack, stays in
 * node_modules.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const options = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  external: ['ssb-*', 'chloride', 'epidemic-broadcast-trees', 'multiserver', 'stream-to-pull-stream', 'ws', '@photostructure/sqlite'],
  legalComments: 'none',
  logLevel: 'warning',
};

rmSync('dist', { recursive: true, force: true });
await build({
  ...options,
  entryPoints: ['src/cli/main.ts'],
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  // A script with a cache cannot use it: Node 20 calls that an experiment.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'fileUrl' },
  banner: { js: "const fileUrl = require('node:url').pathToFileURL(__filename).href;" },
});
// esbuild leaves what is not ASCII in regular expressions and comments; both may have it escaped.
const text = readFileSync('dist/main.cjs', 'utf8');
writeFileSync('dist/main.cjs', text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));
// Threads begin with files of their own.
await build({
  ...options,
  entryPoints: ['src/notify/match-worker.ts', 'src/peer/engines/sqlite/signature-worker.js'],
  entryNames: '[name]',
  format: 'esm',
});
compileAhead();

/** A cache that is made after a run holds the functions that ran, too. */
function compileAhead() {
  const directory = mkdtempSync(join(tmpdir(), 'ssblog-build-'));
  const machine = ['--path', join(directory, 'machine'), '--quiet'];
  const cache = join(directory, 'cache');
  const keepCache = `
    const { makeCache } = require('./bin/ssblog.js');
    process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(cache)}, makeCache()));`;
  try {
    // Settings of whoever builds are not for the machine that is made here, and V8's flags not for who runs ssblog.
    const isOther = ([name]) => name !== 'NODE_OPTIONS' && !name.startsWith('SSBLOG_');
    const env = Object.fromEntries(Object.entries(process.env).filter(isOther));
    const run = (...words) => execFileSync(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    run('bin/ssblog.js', 'init', '--name', 'build', ...machine);
    // Node leaves out the name of a script here, which the program expects before its arguments.
    run('--eval', keepCache, 'ssblog', 'whoami', ...machine);
    // Written here: what ssblog makes is for its owner alone, and this is for whoever may run it.
    writeFileSync('dist/main.cjs.cache', readFileSync(cache));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
