/**
 * ssb-db2 in a process of its own: one message a line, as fast as it takes them. Prints as JSON how long it took until
 * the last callback, and how many messages its log then holds.
 * Arguments: a directory that does not exist, a file of lines.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Enough to keep its queue full. */
const WINDOW_MESSAGES = 1_000;

type Callback<T> = (error: Error | null, answer: T) => void;

interface Peer {
  readonly db: {
    create(options: { content: object }, callback: Callback<unknown>): void;
    onDrain(callback: () => void): void;
    query(...operators: unknown[]): void;
  };
  close(force: true, callback: () => void): void;
}

const require = createRequire(import.meta.url);
const SecretStack = require('secret-stack') as (config: object) => {
  use(plugin: unknown): ReturnType<typeof SecretStack>;
  call(self: null, config: object): Peer;
};
const ssbKeys = require('ssb-keys') as { generate(): unknown };
const { count, toCallback } = require('ssb-db2/operators') as Record<string, (...parameters: never[]) => unknown>;

const [path, file] = process.argv.slice(2) as [string, string];
const texts = readFileSync(file, 'latin1').slice(0, -1).split('\n');
const keys = ssbKeys.generate();
const caps = { shs: Buffer.alloc(32, 1).toString('base64') };
const peer = SecretStack({ caps })
  .use(require('ssb-db2'))
  .call(null, { path, keys, connections: { incoming: {}, outgoing: {} } });

async function createAll(): Promise<void> {
  let next = 0;
  const createNext = async () => {
    while (next < texts.length) {
      const text = texts[next++];
      await new Promise<void>((resolve, reject) => {
        const content = { type: 'log', source: 'laptop', text };
        peer.db.create({ content }, (error) => (error ? reject(error) : resolve()));
      });
    }
  };
  await Promise.all(Array.from({ length: WINDOW_MESSAGES }, createNext));
}

const started = performance.now();
await createAll();
const ms = performance.now() - started;
await new Promise<void>((resolve) => peer.db.onDrain(resolve));
const messages = await new Promise<number>((resolve, reject) => {
  const done = toCallback?.(((error, total) => (error ? reject(error) : resolve(total))) as Callback<number> as never);
  peer.db.query(count?.(), done);
});
await new Promise<void>((resolve) => peer.close(true, resolve));
process.stdout.write(`${JSON.stringify({ ms, messages })}\n`, () => process.exit());
