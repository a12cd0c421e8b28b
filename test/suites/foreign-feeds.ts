/**
 * What ssb-db offers to write other feeds than a machine's own, made from the engine's `add`. The engine leaves it out
 * on purpose; foreign tests use it all over, to make what they look at then.
 */
import { createRequire } from 'node:module';
import type { Identity } from '../../src/config/identity.ts';
import type { SignedMessage } from '../../src/message/signed.ts';
import type { FeedLog } from '../../src/peer/engines/sqlite/feed-log.ts';
import type { Callback } from '../../src/peer/ssb/types.ts';

const require = createRequire(import.meta.url);
const ssbKeys = require('ssb-keys') as { generate(): Identity };
const timestamp = require('monotonic-timestamp') as () => number;
const pull = require('pull-stream') as ((...streams: unknown[]) => unknown) & {
  asyncMap(map: (value: unknown, callback: () => void) => void): unknown;
  drain(each: null, done: Callback): unknown;
};
const { create } = require('ssb-validate') as {
  create(state: object | null, keys: Identity, hmacKey: string | null, content: unknown, timestamp: number): object;
};

export function foreignFeeds(feeds: FeedLog, hmacKey: string | null): object {
  return {
    createFeed(keys: Identity = ssbKeys.generate()) {
      const add = (content: unknown, callback?: Callback): unknown => {
        if (callback === undefined) return (later: Callback) => add(content, later);
        const head = feeds.head(keys.id);
        let message: object;
        try {
          const state = head === undefined ? null : { id: head.key, sequence: head.sequence, queue: [] };
          message = create(state, keys, hmacKey, content, timestamp());
        } catch (error) {
          return callback(error as Error);
        }
        return feeds.add(message, callback as Callback<SignedMessage>);
      };
      return { id: keys.id, keys, add, publish: add };
    },
    queue: (message: unknown, callback: Callback) => feeds.add(message, callback as Callback<SignedMessage>),
    /** As ssb-db has it, what is invalid is left out without a word. */
    createWriteStream: (done: Callback) =>
      pull(
        pull.asyncMap((message, next) => feeds.add(message, () => next())),
        pull.drain(null, done),
      ),
  };
}
