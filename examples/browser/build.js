/** Makes the page: `node examples/browser/build.js DIRECTORY`. What is there then is served by any web server. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: node examples/browser/build.js DIRECTORY');
mkdirSync(directory, { recursive: true });
await build({
  entryPoints: [join(import.meta.dirname, 'page.js')],
  outfile: join(directory, 'page.js'),
  bundle: true,
  minify: true,
  platform: 'browser',
  define: { global: 'globalThis' },
  inject: [join(import.meta.dirname, 'node-globals.js')],
  logLevel: 'warning',
});
copyFileSync(join(import.meta.dirname, 'index.html'), join(directory, 'index.html'));
