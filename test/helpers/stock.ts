/** Other people's software: the stock ssb-server, its command-line client and ssb-client, as they come from npm. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from './free-port.ts';
import type { Result, Running } from './running.ts';
import { PROJECT, type Sandbox } from './sandbox.ts';
import { waitFor } from './wait-for.ts';

const BIN = join(PROJECT, 'node_modules', 'ssb-server', 'bin.js');

/** What a stock client must know of a daemon. */
export interface Reachable {
  readonly box: Sandbox;
  readonly dir: string;
  readonly port: number;
  readonly networkKey: string;
}

export interface StockMessage {
  readonly key: string;
  readonly value: {
    readonly author: string;
    readonly sequence: number;
    readonly timestamp: number;
    readonly content: { readonly type: string; readonly [field: string]: unknown };
  };
}

/** The stock command-line client with a daemon's own directory, over its network port. */
export async function stockClient(daemon: Reachable, ...args: string[]): Promise<Result> {
  const [node, ...rest] = stockCommand(daemon, ...args);
  return daemon.box.run(node, rest);
}

/** The command that `stockClient` runs. */
export function stockCommand({ dir, port, networkKey }: Reachable, ...args: string[]): [string, ...string[]] {
  const options = ['--path', dir, '--host', '127.0.0.1', '--port', String(port), '--caps.shs', networkKey];
  return [process.execPath, BIN, ...args, '--', ...options];
}

/** A command of the stock client that must succeed with one JSON answer. */
export async function stockAnswer<T>(daemon: Reachable, ...args: string[]): Promise<T> {
  const result = await stockClient(daemon, ...args);
  assert.equal(result.code, 0, `stock client: ${args.join(' ')}\n${result.text}\n${result.stderr}`);
  return JSON.parse(result.text) as T;
}

/** All messages that a daemon holds, as the stock client's `log` prints them. */
export async function stockMessages(daemon: Reachable): Promise<StockMessage[]> {
  const result = await stockClient(daemon, 'log');
  assert.equal(result.code, 0, result.stderr);
  return result.text
    .split('\n\n')
    .filter((json) => json.trim() !== '')
    .map((json) => JSON.parse(json) as StockMessage);
}

/** A stock ssb-server of its own, on loopback only: no broadcast, no pubs, no dialling but what it is told. */
export class StockDaemon implements Reachable {
  readonly box: Sandbox;
  readonly dir: string;
  readonly port: number;
  readonly networkKey: string;
  #daemon: Running | undefined;
  #id = '';

  private constructor(box: Sandbox, home: string, port: number, networkKey: string) {
    this.box = box;
    this.dir = join(home, '.ssb');
    this.port = port;
    this.networkKey = networkKey;
  }

  static async make(box: Sandbox, networkKey: string): Promise<StockDaemon> {
    const home = box.path('stock');
    const daemon = new StockDaemon(box, home, await freePort(), networkKey);
    mkdirSync(daemon.dir, { recursive: true });
    writeFileSync(join(daemon.dir, 'config'), JSON.stringify(daemon.#config()));
    return daemon;
  }

  get id(): string {
    assert.notEqual(this.#id, '', 'the stock daemon has not been started');
    return this.#id;
  }

  /** `net:127.0.0.1:PORT~shs:KEY` */
  get address(): string {
    return `net:127.0.0.1:${this.port}~shs:${this.id.slice(1).replace('.ed25519', '')}`;
  }

  get said(): string {
    return `${this.#daemon?.result.text}\n${this.#daemon?.result.stderr}`;
  }

  async start(): Promise<void> {
    this.#daemon = this.box.spawn(process.execPath, [BIN, 'start'], { HOME: join(this.dir, '..') });
    const [, key] = await this.#daemon.waitForOutput('text', /my key ID: (\S+)/);
    this.#id = `@${key}`;
    await this.#waitUntilReachable();
  }

  async stop(): Promise<void> {
    this.#daemon?.kill('SIGTERM');
    await this.#daemon?.done();
    this.#daemon = undefined;
  }

  async kill9(): Promise<void> {
    this.#daemon?.kill('SIGKILL');
    await this.#daemon?.exit;
    this.#daemon = undefined;
  }

  /** A connection of ssb-client with the daemon's own keys. */
  async connect<T>(manifest: object): Promise<Connected<T>> {
    const ssbKeys = require('ssb-keys') as { loadSync(file: string): unknown };
    const connect = require('ssb-client') as (keys: unknown, options: ClientOptions) => Promise<Connected<T>>;
    const keys = ssbKeys.loadSync(join(this.dir, 'secret'));
    let failure: unknown;
    // While many messages come in, it does not answer a handshake in the time that it itself gives for one.
    return waitFor(
      'the stock daemon to take a connection',
      () =>
        connect(keys, { remote: this.address, caps: { shs: this.networkKey }, manifest }).catch((error: unknown) => {
          failure = error;
          return undefined;
        }),
      { detail: () => `${failure}\n${this.said}` },
    );
  }

  /** It says nothing when it is ready: asked until it answers. */
  async #waitUntilReachable(): Promise<void> {
    await waitFor('the stock daemon to answer', async () => (await stockClient(this, 'whoami')).code === 0, {
      everyMs: 250,
      detail: () => this.said,
    });
  }

  #config(): unknown {
    const net = { host: '127.0.0.1', port: this.port, scope: ['device', 'local', 'public'], transform: 'shs' };
    return {
      caps: { shs: this.networkKey },
      host: '127.0.0.1',
      port: this.port,
      local: false,
      connections: { incoming: { net: [net] }, outgoing: { net: [{ transform: 'shs' }] } },
      gossip: { local: false, pub: false, autoPopulate: false, global: false, friends: false },
      friends: { hops: 3 },
    };
  }
}

const require = createRequire(import.meta.url);

type Connected<T> = T & { close(error: true, callback: () => void): void };

interface ClientOptions {
  readonly remote: string;
  readonly caps: { readonly shs: string };
  readonly manifest: object;
}

type Callback<T> = (error: Error | null, answer?: T) => void;

export interface Rpc {
  publish(content: { type: string; text: string }, callback: Callback<StockMessage>): void;
  close(error: true, callback: () => void): void;
}

/**
 * Connects over the network with ssb-client and a new key pair, as a stranger would.
 * @throws when the handshake fails
 */
export async function connectAsStranger(
  address: string,
  networkKey: string,
  manifest: object = { publish: 'async' },
): Promise<Rpc> {
  const ssbKeys = require('ssb-keys') as { generate(): unknown };
  const connect = require('ssb-client') as (keys: unknown, options: ClientOptions) => Promise<Rpc>;
  return connect(ssbKeys.generate(), { remote: address, caps: { shs: networkKey }, manifest });
}

/** A websocket server that passes the bytes of each connection on to a TCP port, as a reverse proxy does. @returns its port */
export async function bridgeWebsocket(t: TestContext, target: number): Promise<number> {
  const pull = require('pull-stream') as (...streams: unknown[]) => void;
  const webSocket = require('multiserver/plugins/ws') as (options: object) => {
    server(onConnection: (stream: unknown) => void, started: () => void): (closed: () => void) => void;
  };
  const net = require('multiserver/plugins/net') as (options: object) => {
    client(address: object, connected: (error: Error | null, stream: unknown) => void): void;
  };
  const port = await freePort();
  await new Promise<void>((resolve) => {
    const close = webSocket({ host: '127.0.0.1', port }).server((stream) => {
      net({}).client({ host: '127.0.0.1', port: target }, (error, other) => {
        if (error === null) pull(stream, other, stream);
      });
    }, resolve);
    t.after(() => close(() => undefined));
  });
  return port;
}
