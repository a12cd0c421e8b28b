/** What another machine, which has the network key but not this machine's, may call. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { network } from '../helpers/machine.ts';
import { connectAsStranger } from '../helpers/stock.ts';

const KNOCKING = ['manifest', 'ssblog.knock', 'ssblog.redeem'];
const REPLICATING = [
  ...['createHistoryStream', 'ebt.replicate', 'conn.ping', 'gossip.ping'],
  ...['ssblog.have', 'ssblog.instance', 'ssblog.hasTwin'],
];

type Manifest = { [name: string]: string | Manifest };

/** `{a: 'async', b: {c: 'source'}}` → `[['a', 'async'], ['b.c', 'source']]` */
function methodsOf(manifest: Manifest, prefix = ''): [path: string, kind: string][] {
  return Object.entries(manifest).flatMap(([name, kind]): [string, string][] =>
    typeof kind === 'string' ? [[prefix + name, kind]] : methodsOf(kind, `${prefix}${name}.`),
  );
}

test('another machine can call nothing but what replication needs, and what lets it in', (t) =>
  callEverything(t, 'members', [...KNOCKING, ...REPLICATING]));

test('where only followed machines may replicate, a stranger can only knock', (t) =>
  callEverything(t, 'followed', KNOCKING));

async function callEverything(t: TestContext, access: string, allowed: readonly string[]): Promise<void> {
  const [laptop] = await network(t, 'laptop');
  laptop.setEnvironment({ SSBLOG_ACCESS: access });
  await laptop.start();
  await laptop.pipe('a line\n');
  const manifest = JSON.parse(readFileSync(join(laptop.dir, 'manifest.json'), 'utf8')) as Manifest;
  const methods = methodsOf(manifest);
  assert.ok(methods.some(([path]) => path === 'ssblog.stop'));
  const before = await laptop.status();
  for (const [path, kind] of methods) {
    if (allowed.includes(path)) continue;
    const rpc = await connectAsStranger(laptop.address, laptop.networkKey, manifest);
    try {
      const error = await refusalOf(rpc, path, kind);
      assert.match(
        String(error?.message),
        /not (be )?(on|in|allowed)|no manifest|denied|not in list|for machines that are followed/i,
        `${path} (${kind})`,
      );
    } finally {
      await new Promise<void>((resolve) => rpc.close(true, resolve));
    }
  }
  const after = await laptop.status();
  assert.equal(after.daemon.running, true);
  assert.equal(after.messages, before.messages);
}

/** Calls a method as its kind wants it; resolves with the error that comes back. */
function refusalOf(rpc: object, path: string, kind: string): Promise<Error | undefined> {
  const method = path.split('.').reduce((part, name) => (part as Record<string, unknown>)[name] as object, rpc);
  const call = method as unknown as (...args: unknown[]) => unknown;
  return new Promise((resolve) => {
    if (kind === 'async' || kind === 'sync') {
      call((error: Error | undefined) => resolve(error));
    } else if (kind === 'source') {
      const read = call({}) as (abort: null, callback: (end: unknown) => void) => void;
      read(null, (end) => resolve(end instanceof Error ? end : (end as Error | undefined)));
    } else if (kind === 'sink') {
      const sink = call((error: Error | undefined) => resolve(error)) as (source: unknown) => void;
      // A source that waits for ever: a refusal aborts it.
      sink((abort: Error | null, callback: (end: Error) => void) => {
        if (abort !== null) callback(abort);
      });
    } else {
      // Without a callback the client throws what it is refused.
      const { source } = call({}, () => undefined) as {
        source: (abort: null, callback: (end: unknown) => void) => void;
      };
      source(null, (end) => resolve(end as Error | undefined));
    }
  });
}
