#!/usr/bin/env node
/**
 * Runs dist/main.cjs with what V8 compiled of it when dist/ was made. V8 believes what is in such a cache, and would
 * crash on a damaged one, or on that of another build of the same V8 version, as each Node 20 has: so the cache begins
 * with a digest of itself, of the text, and of what tells one Node from another. V8 itself refuses one for other flags.
 */
const { createHash } = require('node:crypto');
const { readFileSync, statSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const DIGEST = 'sha256';
const DIGEST_BYTES = 32;

const filename = join(__dirname, '..', 'dist', 'main.cjs');
const text = readFileSync(filename);
// The build writes ASCII (build.js): one byte for each character takes half the memory and less time.
const source = `(function (require, __filename) {'use strict';${text.toString('latin1')}\n})`;

function digest(data) {
  const { size, mtimeMs } = statSync(process.execPath);
  const node = JSON.stringify([process.version, process.platform, process.arch, process.execPath, size, mtimeMs]);
  return createHash(DIGEST).update(node).update(text).update(data).digest();
}

/** Whatever keeps it from being read, the program only starts more slowly. */
function readCache() {
  try {
    const cache = readFileSync(`${filename}.cache`);
    const data = cache.subarray(DIGEST_BYTES);
    return digest(data).equals(cache.subarray(0, DIGEST_BYTES)) ? data : undefined;
  } catch {
    return undefined;
  }
}

const cachedData = readCache();
const script = new Script(source, { filename, cachedData });
script.runInThisContext()(createRequire(filename), filename);

module.exports = {
  /** Whether V8 took the cache. */
  hasCache: cachedData !== undefined && script.cachedDataRejected === false,
  /** @returns what is to be in the file: all that has been compiled so far */
  makeCache: () => {
    const data = script.createCachedData();
    return Buffer.concat([digest(data), data]);
  },
};
