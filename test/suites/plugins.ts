/** The sqlite engine with the shape of the package ssb-db, and the follow graph with that of ssb-friends. */
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Identity } from '../../src/config/identity.ts';
import { FeedLog } from '../../src/peer/engines/sqlite/feed-log.ts';
import { databasePlugin } from '../../src/peer/engines/sqlite/plugin.ts';
import { followGraph } from '../../src/peer/follow-graph.ts';
import type { Callback } from '../../src/peer/ssb/types.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { foreignFeeds } from './foreign-feeds.ts';

const require = createRequire(import.meta.url);
/** The clock that ssb-db shares with everybody who asks the same module for the time, as foreign tests do. */
const timestamp = require('monotonic-timestamp') as () => number;
const ssbKeys = require('ssb-keys') as { generate(): Identity };

interface Config {
  path?: string;
  keys?: Identity;
  readonly temp?: string | boolean;
  readonly caps?: { readonly sign?: string | null };
  readonly friends?: { readonly hops?: number };
}

interface Plugin {
  readonly manifest: object;
  readonly permissions: object;
  init(stack: object, config: object): { close(...args: unknown[]): void };
}

const DEFAULT_HOPS = 3;

const stores = new WeakMap<object, Store>();

/** Everything that ssb-db declares and this engine declares too. */
const { manifest, permissions } = databasePlugin({} as FeedLog, '') as Plugin;

export const database = {
  manifest,
  permissions,
  init(stack: object, config: Config): object {
    const keys = config.keys ?? ssbKeys.generate();
    const dir = directory(config);
    Object.assign(config, { keys, path: dir });
    const store = openStore(join(dir, 'store.db'));
    stores.set(stack, store);
    const hmacKey = config.caps?.sign;
    const feeds = new FeedLog({ keys, store, hmacKey, now: timestamp });
    const methods = (databasePlugin(feeds, '1.0.0') as Plugin).init(stack, config);
    const close = (error: unknown, callback?: Callback) => {
      const done = typeof error === 'function' ? (error as Callback) : callback;
      methods.close(typeof error === 'function' ? null : error, (failure: Error | null) => {
        store.close();
        done?.(failure);
      });
    };
    return { ...methods, ...foreignFeeds(feeds, hmacKey ?? null), close };
  },
};

/** Always below the temporary directory, whatever the file asks for. */
function directory({ path, temp }: Config): string {
  const dir = join(tmpdir(), typeof temp === 'string' ? temp : basename(path ?? String(Date.now())));
  if (temp) rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  return dir;
}

const shape = followGraph(0).plugin as Plugin;

export const friends = {
  ...shape,
  init(stack: object, config: Config): object {
    const graph = followGraph(config.friends?.hops ?? DEFAULT_HOPS);
    const methods = (graph.plugin as Plugin).init(stack, config);
    const store = stores.get(stack);
    if (store === undefined) throw new Error('the database comes first');
    // Later: plugins that want to hear of it may come after this one.
    setImmediate(() => graph.load(store.contacts()));
    return methods;
  },
};
