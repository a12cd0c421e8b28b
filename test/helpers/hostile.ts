/** Feeds and peers that keep to the letter of SSB and to nothing else: whatever can be signed, they sign. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import type { Machine } from './machine.ts';

const require = createRequire(import.meta.url);

interface Keys {
  readonly id: string;
}

const ssbKeys = require('ssb-keys') as {
  generate(): Keys;
  loadSync(file: string): Keys;
  signObj<T extends object>(keys: Keys, value: T): T & { signature: string };
};
const { id: messageId } = require('ssb-validate') as { id(value: object): string };
const connect = require('ssb-client') as (keys: Keys, options: object) => Promise<never>;

export interface SignedByHand {
  readonly previous: string | null;
  readonly sequence: number;
  readonly author: string;
  readonly timestamp: number;
  readonly hash: 'sha256';
  readonly content: unknown;
  readonly signature: string;
}

/** A feed without a program behind it: each message is the valid next one, and says what the test wants. */
export class HandmadeFeed {
  readonly keys = ssbKeys.generate();
  #previous: string | null = null;
  #sequence = 0;

  get id(): string {
    return this.keys.id;
  }

  /** @param timestamp what the message claims of itself */
  sign(content: unknown, timestamp: number = Date.now()): SignedByHand {
    this.#sequence += 1;
    const value = ssbKeys.signObj(this.keys, {
      previous: this.#previous,
      sequence: this.#sequence,
      author: this.id,
      timestamp,
      hash: 'sha256' as const,
      content,
    });
    this.#previous = messageId(value);
    return value;
  }
}

/** What this machine's owner may call over its socket or port. */
interface OwnerRpc {
  add(value: SignedByHand, callback: (error: Error | null) => void): void;
  publish(content: unknown, callback: (error: Error | null) => void): void;
  close(error: true, callback: () => void): void;
}

/** Few enough that a turn of the daemon's event loop takes them all. */
const CALLS_AT_ONCE = 200;

/** Gives a machine's daemon messages of any feed, in their order, as its owner may. */
export async function addAll(machine: Machine, messages: Iterable<SignedByHand>): Promise<void> {
  const keys = ssbKeys.loadSync(join(machine.dir, 'secret'));
  const manifest = JSON.parse(readFileSync(join(machine.dir, 'manifest.json'), 'utf8')) as object;
  const caps = { shs: machine.networkKey };
  const rpc = (await connect(keys, { remote: machine.address, caps, manifest })) as OwnerRpc;
  const add = promisify(rpc.add.bind(rpc));
  let calls: Promise<unknown>[] = [];
  for (const message of messages) {
    calls.push(add(message));
    if (calls.length < CALLS_AT_ONCE) continue;
    await Promise.all(calls);
    calls = [];
  }
  await Promise.all(calls);
  await promisify(rpc.close.bind(rpc))(true);
}

type Stack = (config: object) => {
  on(event: 'rpc:connect', listener: (remote: { close(error: true, callback: () => void): void }) => void): void;
  once(event: 'multiserver:listening', listener: () => void): void;
  close(error: true, callback: () => void): void;
};

/** Bytes of the handshake's answers: to the hello, and to the rest of it with the first packet after it, a goodbye. */
const HELLO_BYTES = 64;
const ACCEPT_AND_GOODBYE_BYTES = 80 + 43;

/** A machine that takes every connection and hangs up at once: its goodbye comes with the end of the handshake. */
export class HangingUp {
  readonly address: string;
  /** How often it was reached. */
  count = 0;
  readonly #stack: ReturnType<Stack>;
  readonly #front: Server;

  private constructor(stack: ReturnType<Stack>, address: string, front: Server) {
    this.#stack = stack;
    this.address = address;
    this.#front = front;
    stack.on('rpc:connect', (remote) => {
      this.count += 1;
      remote.close(true, () => undefined);
    });
  }

  static async listen(networkKey: string): Promise<HangingUp> {
    const createStack = createRequire(require.resolve('ssb-server'))('secret-stack') as (config: object) => Stack;
    const [port, frontPort] = [await freePort(), await freePort()];
    const net = [{ scope: 'device', transform: 'shs', host: '127.0.0.1', port }];
    const keys = ssbKeys.generate();
    const stack = createStack({})({ keys, caps: { shs: networkKey }, connections: { incoming: { net } } });
    await new Promise<void>((resolve) => {
      stack.once('multiserver:listening', resolve);
    });
    const front = createServer((client) => inOnePiece(client, dial(port, '127.0.0.1')));
    front.listen(frontPort, '127.0.0.1');
    await once(front, 'listening');
    const key = keys.id.slice(1, -'.ed25519'.length);
    return new HangingUp(stack, `net:127.0.0.1:${frontPort}~shs:${key}`, front);
  }

  async close(): Promise<void> {
    this.#front.close();
    await new Promise<void>((resolve) => {
      this.#stack.close(true, resolve);
    });
  }
}

/** What the network may do at any time: the last answer of the handshake and the goodbye arrive as one. */
function inOnePiece(client: Socket, server: Socket): void {
  let held = Buffer.alloc(0);
  let isHello = true;
  client.pipe(server);
  client.on('error', () => server.destroy());
  server.on('error', () => client.destroy());
  server.on('end', () => client.end(held));
  server.on('data', (bytes) => {
    held = Buffer.concat([held, bytes]);
    if (held.length < (isHello ? HELLO_BYTES : ACCEPT_AND_GOODBYE_BYTES)) return;
    client.write(held);
    held = Buffer.alloc(0);
    isHello = false;
  });
}

type Frames = (abort: unknown, callback: (end: unknown, frame?: unknown) => void) => void;

interface PeerRpc {
  readonly ebt: { replicate(options: object, callback: () => void): { source: Frames; sink(source: Frames): void } };
  close(error: true, callback: () => void): void;
}

/** Another machine as far as the handshake: what it says after that is the test's. */
export class HandmadePeer {
  readonly #rpc: PeerRpc;

  private constructor(rpc: PeerRpc) {
    this.#rpc = rpc;
  }

  static async connect(
    machine: Machine,
    { keys }: { keys: Keys } = { keys: ssbKeys.generate() },
  ): Promise<HandmadePeer> {
    const manifest = { ebt: { replicate: 'duplex' } };
    const caps = { shs: machine.networkKey };
    return new HandmadePeer((await connect(keys, { remote: machine.address, caps, manifest })) as PeerRpc);
  }

  /**
   * Sends these frames where notes and messages should come, and reads all that the other says.
   * Resolves when they are sent, or the other has had enough.
   */
  async replicate(frames: readonly unknown[]): Promise<void> {
    const { source, sink } = this.#rpc.ebt.replicate({ version: 3, format: 'classic' }, () => undefined);
    const read = (): void => source(null, (end) => (end ? undefined : setImmediate(read)));
    read();
    let next = 0;
    await new Promise<void>((resolve) => {
      sink((abort, callback) => {
        if (abort || next === frames.length) resolve();
        // Left open at the end: who hangs up may have had its reasons.
        if (abort) callback(abort);
        else if (next < frames.length) setImmediate(callback, null, frames[next++]);
      });
    });
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#rpc.close(true, resolve);
    });
  }
}
