/** A record in a directory of its own, with keys of its own. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Identity } from '../../../../src/config/identity.ts';
import type { SignedMessage } from '../../../../src/message/signed.ts';
import { FeedLog } from '../../../../src/peer/engines/sqlite/feed-log.ts';
import { promised } from '../../../../src/peer/pull.ts';
import { openStore } from '../../../../src/store/open.ts';
import type { Store } from '../../../../src/store/store.ts';
import { freshDirectory } from '../../store/fake-feed.ts';

const ssbKeys = createRequire(import.meta.url)('ssb-keys') as { generate(): Identity };

export function newKeys(): Identity {
  return ssbKeys.generate();
}

export interface Record {
  readonly feeds: FeedLog;
  readonly store: Store;
  readonly keys: Identity;
}

export function freshRecord(t: TestContext, keys: Identity = newKeys()): Record {
  return openRecord(t, join(freshDirectory(t), 'store.db'), keys);
}

export function openRecord(t: TestContext, file: string, keys: Identity): Record {
  const store = openStore(file);
  const feeds = new FeedLog({ keys, store });
  t.after(() => {
    feeds.close();
    store.close();
  });
  return { feeds, store, keys };
}

export function publish({ feeds }: Record, content: unknown): Promise<SignedMessage> {
  return promised((callback) => feeds.publish(content, callback));
}

export function add({ feeds }: Record, value: unknown): Promise<SignedMessage> {
  return promised((callback) => feeds.add(value, callback));
}
