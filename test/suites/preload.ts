/**
 * Loaded before a test file that comes with another package: where that file asks for ssb-db it gets this project's
 * engine, where it asks for ssb-friends this project's follow graph. The file itself stays as it is in node_modules.
 */
import { createRequire, Module } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { loadEbt } from '../../src/peer/ebt.ts';
import { Traffic } from '../../src/peer/traffic.ts';
import { database, friends } from './plugins.ts';
import { readSettings } from './settings.ts';

const require = createRequire(import.meta.url);
const settings = readSettings();
/** It comes with ssb-server. */
const SSB_DB = createRequire(require.resolve('ssb-server')).resolve('ssb-db');

/** Whoever requires the file from now on gets this. */
function replace(path: string, exports: unknown): void {
  const module = new Module(path);
  module.exports = exports;
  module.loaded = true;
  require.cache[path] = module;
}

interface Connections {
  readonly incoming: { readonly net: { host?: string; port?: number }[] };
}

interface Stack {
  use(plugin: unknown): Stack;
}

/** The version that ssb-server brings is the one that these files were written for; it listens on loopback only. */
function replaceSecretStack(ports: number[]): void {
  const requireInServer = createRequire(require.resolve('ssb-server'));
  const secretStack = requireInServer('secret-stack') as (config: object) => Stack;
  const onLoopback = {
    init(_stack: unknown, { connections }: { connections: Connections }): void {
      for (const net of connections.incoming.net) {
        const port = ports.shift();
        if (port === undefined) throw new Error('the file opens more peers than it was given ports');
        Object.assign(net, { host: '127.0.0.1', port });
      }
    },
  };
  replace(require.resolve('secret-stack'), (config: object) => secretStack(config).use(onLoopback));
}

/** Leaves out single tests of a file, and says so. */
function replaceTape(skip: readonly string[]): void {
  const tape = require('tape') as (...args: unknown[]) => void;
  const choose = (...args: unknown[]) => {
    if (skip.includes(String(args[0]))) console.log(`# SKIP ${args[0]}`);
    else tape(...args);
  };
  replace(require.resolve('tape'), Object.assign(choose, tape));
}

/** One file opens flume's log in a directory that is not a temporary one of its own. */
function keepFlumeInTemporary(): void {
  const path = join(SSB_DB, '..', 'minimal.js');
  const minimal = require(path) as (dir: string, ...rest: unknown[]) => unknown;
  const within = (dir: string) => (dir.startsWith(tmpdir()) ? dir : join(tmpdir(), basename(dir)));
  replace(path, (dir: string, ...rest: unknown[]) => minimal(within(dir), ...rest));
}

/** What ssb-gossip asks of addresses without a host ended no process in the versions of its time. */
function answerForNoHost(): void {
  const ip = createRequire(require.resolve('ssb-gossip'))('ip') as { isPrivate(host: string | undefined): boolean };
  const { isPrivate } = ip;
  ip.isPrivate = (host) => host !== undefined && isPrivate(host);
}

replaceSecretStack([...settings.ports]);
replaceTape(settings.skip);
keepFlumeInTemporary();
answerForNoHost();
if (settings.database === 'sqlite') {
  replace(SSB_DB, database);
  replace(require.resolve('ssb-friends'), friends);
}
// It puts the mended plugin into the module cache, in the place of ssb-ebt's own.
if (settings.ebt === 'mended') loadEbt(new Traffic());
