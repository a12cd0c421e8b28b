#!/usr/bin/env node
/**
 * Runs dist/main.cjs with what V8 compiled of it when dist/ was made. V8 itself refuses a cache of another version or
 * of other flags, or of a text of another length, and compiles anew: slower, but the same.
 */
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const filename = join(__dirname, '..', 'dist', 'main.cjs');

function cache() {
  try {
    return readFileSync(`${filename}.cache`);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  }
}

// esbuild writes ASCII; one byte for each character takes half the memory and less time.
const source = `(function (require, __filename) {${readFileSync(filename, 'latin1')}\n})`;
const script = new Script(source, { filename, cachedData: cache() });
script.runInThisContext()(createRequire(filename), filename);

module.exports = script;
