/**
 * For `node --import`: puts named points around what the program does to its disk and its sockets, without a word in
 * the program itself. Wraps Node's own modules (named imports of them are renewed), chloride's signing, and puts a
 * class of ours in place of SQLite's, whose methods cannot be replaced: for `import` by a resolve hook, for `require`
 * in its cache.
 */
import fs from 'node:fs';
import { createRequire, register, syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { sep } from 'node:path';
import { isNext, pass } from './points.js';

const require = createRequire(import.meta.url);
register('./hooks.js', import.meta.url);
const sqlite = require('@photostructure/sqlite');
const { DatabaseSync } = await import('./sqlite.js');
require.cache[require.resolve('@photostructure/sqlite')].exports = { ...sqlite, DatabaseSync };

/** Passes `name.before`, works, passes `name.after`. */
function aroundSync(name, work) {
  pass(`${name}.before`);
  const result = work();
  pass(`${name}.after`);
  return result;
}

async function around(name, work) {
  pass(`${name}.before`);
  const result = await work();
  pass(`${name}.after`);
  return result;
}

const isInSpool = (path) => String(path).includes(`${sep}spool${sep}`);
const isSpool = (path) => String(path).endsWith(`${sep}spool`);

/** Files by handle: what is written is told by its path. */
const paths = new WeakMap();
const { open, rename, rm } = fs.promises;
fs.promises.open = async (path, ...rest) => {
  const work = async () => {
    const handle = await open(path, ...rest);
    paths.set(handle, String(path));
    return handle;
  };
  return isInSpool(path) ? around('spool-open', work) : work();
};
fs.promises.rename = (from, to) =>
  isInSpool(from) ? around('spool-rename', () => rename(from, to)) : rename(from, to);
fs.promises.rm = (path, options) =>
  isInSpool(path) ? around('spool-unlink', () => rm(path, options)) : rm(path, options);

const sample = await open(import.meta.filename, 'r');
const handles = Object.getPrototypeOf(sample);
await sample.close();
const { appendFile, sync } = handles;
handles.appendFile = async function (data, ...rest) {
  const path = paths.get(this);
  if (path === undefined || !isInSpool(path)) return appendFile.call(this, data, ...rest);
  if (isNext('spool-write.torn')) {
    const bytes = Buffer.from(data);
    await appendFile.call(this, bytes.subarray(0, Math.ceil(bytes.length / 2)));
  }
  pass('spool-write.torn');
  return around('spool-write', () => appendFile.call(this, data, ...rest));
};
handles.sync = async function () {
  const path = paths.get(this) ?? '';
  const work = () => sync.call(this);
  if (isInSpool(path)) return around('spool-fsync', work);
  return isSpool(path) ? around('spool-fsync-directory', work) : work();
};

const { rmSync, rename: renameCallback, writeFileSync } = fs;
fs.rmSync = (path, options) => {
  const work = () => rmSync(path, options);
  return String(path).endsWith(`${sep}socket`) ? aroundSync('socket-unlink', work) : work();
};
fs.writeFileSync = (path, ...rest) => {
  const work = () => writeFileSync(path, ...rest);
  if (String(path).endsWith('manifest.json')) return aroundSync('manifest-write', work);
  return work();
};
// ssb-conn's list of addresses.
fs.rename = (from, to, callback) => {
  if (!String(to).endsWith('conn.json')) return renameCallback(from, to, callback);
  pass('addresses-rename.before');
  renameCallback(from, to, (error) => {
    pass('addresses-rename.after');
    callback(error);
  });
};

const { write } = net.Socket.prototype;
/** How muxrpc says that `write` has done it: a head of nine bytes, and these, together or apart. */
const ACKNOWLEDGED = Buffer.from('true');
const HEAD_BYTES = 9;
net.Socket.prototype.write = function (chunk, ...rest) {
  const work = () => write.call(this, chunk, ...rest);
  if (!Buffer.isBuffer(chunk)) return work();
  const isServed = typeof this.server?.address?.() === 'string';
  if (isServed) {
    const isAcknowledgement = chunk.length <= HEAD_BYTES + ACKNOWLEDGED.length && chunk.includes(ACKNOWLEDGED);
    return isAcknowledgement ? aroundSync('acknowledge', work) : work();
  }
  return chunk.includes('["ssblog","write"]') ? aroundSync('call', work) : work();
};

const { stdout } = process;
const print = stdout.write;
stdout.write = function (text, ...rest) {
  const work = () => print.call(this, text, ...rest);
  return String(text).startsWith('{"run":') ? aroundSync('report', work) : work();
};

const sodium = require('chloride');
const { crypto_sign_detached: sign, crypto_sign_verify_detached: verify } = sodium;
const isMessage = (bytes) => bytes.subarray(0, 16).includes('"previous"');
sodium.crypto_sign_detached = (bytes, ...rest) => {
  const work = () => sign(bytes, ...rest);
  return isMessage(bytes) ? aroundSync('publish', work) : work();
};
sodium.crypto_sign_verify_detached = (signature, bytes, ...rest) => {
  const work = () => verify(signature, bytes, ...rest);
  return isMessage(bytes) ? aroundSync('verify', work) : work();
};

syncBuiltinESMExports();
