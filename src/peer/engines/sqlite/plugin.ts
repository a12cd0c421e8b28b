/**
 * ssb-db's place in a secret-stack, on a FeedLog: the methods that EBT, the stock command line and other plugins call,
 * with ssb-db's names, arguments and answers. It has no name, so they stand at the root.
 */
import type { SignedMessage } from '../../../message/signed.ts';
import type { StoredMessage } from '../../../store/message-log.ts';
import { argumentChecks } from '../../ssb/stock.ts';
import type { Callback } from '../../ssb/types.ts';
import type { FeedLog } from './feed-log.ts';
import { type HistoryOptions, MessageStreams, type StreamOptions } from './streams.ts';

const MANIFEST = {
  add: 'async',
  createFeedStream: 'source',
  createHistoryStream: 'source',
  createLogStream: 'source',
  createSequenceStream: 'source',
  createUserStream: 'source',
  get: 'async',
  getAtSequence: 'async',
  getFeedState: 'async',
  getLatest: 'async',
  getVectorClock: 'async',
  latest: 'source',
  latestSequence: 'async',
  messagesByType: 'source',
  progress: 'sync',
  publish: 'async',
  status: 'sync',
  version: 'sync',
  whoami: 'sync',
} as const;

/** What the plugin itself calls of its stack. */
interface Stack {
  close(error: Error | null, callback: Callback): void;
}

interface StackConfig {
  readonly keys: { readonly id: string };
}

/** `%….sha256?unbox=…`: nothing here can decrypt, so what stands behind the id changes nothing. */
const MESSAGE_LINK = /^(%[a-zA-Z0-9/+]{43}=\.sha256)(?:\?.*)?$/;

export function databasePlugin(feeds: FeedLog, version: string): unknown {
  return {
    manifest: MANIFEST,
    permissions: { master: { allow: null, deny: null }, anonymous: { allow: ['createHistoryStream'], deny: null } },
    init: (stack: Stack, config: StackConfig) => methods(feeds, { version, config, close: stack.close }),
  };
}

function throwIfAny(error: Error | null | undefined): void {
  if (error) throw error;
}

function methods(
  feeds: FeedLog,
  { version, config, close }: { version: string; config: StackConfig; close: Stack['close'] },
): object {
  const { store } = feeds;
  const { keys } = config;
  const streams = new MessageStreams(feeds);
  const check = argumentChecks();
  const answer = answerer(feeds);
  const progress = () => {
    const last = feeds.isClosed ? 0 : store.log.lastId();
    return { indexes: { start: last, current: last, target: last } };
  };

  const checkArgument = check.async((_value, callback) => callback(null), 'msg');
  const since = () => ({ since: feeds.isClosed ? -1 : streams.position(), plugins: {}, sync: true });

  return {
    keys,
    id: keys.id,
    whoami: () => ({ id: keys.id }),
    version: () => version,
    ready: () => true,
    progress,
    status: () => ({ progress: progress(), db: {}, sync: since() }),
    since,

    publish: check.async((content, callback) => feeds.publish(content, callback), 'string|msgContent'),
    add: (value: unknown, callback: Callback<SignedMessage> = throwIfAny) => {
      // What was taken is a message: only of what was not is it worth saying, in ssb-db's words, why it is none.
      feeds.add(value, (error, message) => {
        if (!error) callback(null, message);
        else checkArgument(value, (wrong: Error | null) => callback(wrong ?? error));
      });
    },
    post: feeds.post.bind(feeds),

    get: check.async((wanted: unknown, callback: (error: Error | null, found?: unknown, position?: number) => void) => {
      const done: Callback<Found> = (error, found) =>
        error || found === undefined ? callback(error ?? null) : callback(null, found.answer, found.position);
      answer(done as Callback, () => get(feeds, wanted));
    }, 'msgLink|number|object'),
    getAtSequence: (wanted: string | [feed: string, sequence: number], callback: Callback) =>
      answer(callback, () => {
        const [feed, sequence] = typeof wanted === 'string' ? wanted.split(':') : wanted;
        return feeds.at(String(feed), Number(sequence)) ?? notFound(String(wanted));
      }),
    getVectorClock: (options: unknown, callback?: Callback) => {
      // Not later: a plugin that asks as it is made must know the clock before anything else happens.
      const done = (callback ?? options) as Callback;
      if (feeds.isClosed) done(new Error('the peer is ending'));
      else done(null, Object.fromEntries(store.clock()));
    },
    getFeedState: check.async((feed: string, callback: Callback) => {
      answer(callback, () => {
        const head = feeds.head(feed);
        return { id: head?.key ?? null, sequence: head?.sequence ?? 0 };
      });
    }, 'feedId'),
    getLatest: check.async((feed: string, callback: Callback) => {
      answer(callback, () => {
        const head = store.log.head(feed);
        const message = head === undefined ? undefined : feeds.at(feed, head.sequence);
        return message === undefined ? undefined : { key: message.key, value: message.value };
      });
    }, 'feedId'),
    latestSequence: check.async((feed: string, callback: Callback) => {
      answer(callback, () => store.log.head(feed)?.sequence ?? notFound(feed));
    }, 'feedId'),
    latest: () => latest(feeds),

    createLogStream: check.source((options: StreamOptions = {}) => streams.byReceipt(options), 'readStreamOpts?'),
    createFeedStream: check.source((options: StreamOptions = {}) => streams.byClaimedTime(options), 'readStreamOpts?'),
    createUserStream: check.source(
      (options: StreamOptions & { id: string }) => streams.ofFeed(options.id, options),
      'createUserStreamOpts',
    ),
    createHistoryStream: check.source(
      (options: HistoryOptions | string, sequence?: number, live?: boolean) => {
        const given = typeof options === 'string' ? { id: options, seq: sequence ?? 0, live: live ?? false } : options;
        const from = given.sequence || given.seq || 0;
        // ssb-db's `sync` is the wrong way round here, and what it has is what readers expect.
        return streams.ofFeed(given.id, { ...given, gte: from, reverse: false, sync: given.sync === false });
      },
      ['createHistoryStreamOpts'],
      ['feedId', 'number?', 'boolean?'],
    ),
    messagesByType: check.source((options: string | (StreamOptions & { type: string })) => {
      const given = typeof options === 'string' ? { type: options } : options;
      return streams.byType(given.type, given);
    }, 'string|messagesByTypeOpts'),
    createSequenceStream: () => streams.positions(),

    close: (error: Error | Callback | null, callback?: Callback) => {
      const done = typeof error === 'function' ? error : callback;
      feeds.close();
      close(typeof error === 'function' ? null : error, (failure) => {
        // A stack that was closed before it listened has nothing to close.
        const isNothing = (failure as { code?: unknown } | null)?.code === 'ERR_SERVER_NOT_RUNNING';
        setImmediate(() => done?.(isNothing ? null : failure));
      });
    },
  };
}

interface Found {
  readonly answer: unknown;
  readonly position: number;
}

/** @param wanted an id, the position of a message, or options */
function get(feeds: FeedLog, wanted: unknown): Found {
  if (typeof wanted === 'number') return { answer: unnumbered(feeds.store.log.byId(wanted), wanted), position: wanted };
  const options =
    typeof wanted === 'object' && wanted !== null ? (wanted as { id?: unknown; meta?: unknown }) : undefined;
  const id = String(options === undefined ? wanted : options.id);
  const key = MESSAGE_LINK.exec(id)?.[1];
  const message = key === undefined ? undefined : feeds.store.log.byKey(key);
  if (message === undefined) return notFound(id);
  return { answer: options?.meta ? unnumbered(message, id) : message.value, position: message.id };
}

function unnumbered(message: StoredMessage | undefined, what: unknown): SignedMessage {
  if (message === undefined) return notFound(String(what));
  const { key, value, timestamp } = message;
  return { key, value, timestamp };
}

/** The last message of each feed, in short. */
function latest(feeds: FeedLog): unknown {
  const clock = feeds.isClosed ? [] : [...feeds.store.clock()];
  let next = 0;
  return (abort: Error | boolean | null, callback: Callback) => {
    const entry = abort || feeds.isClosed ? undefined : clock[next];
    next += 1;
    if (entry === undefined) return (callback as (end: unknown) => void)(abort || true);
    const [id, sequence] = entry;
    callback(null, { id, sequence, ts: feeds.at(id, sequence)?.value.timestamp });
  };
}

function notFound(what: string): never {
  throw Object.assign(new Error(`not found:${what}`), { name: 'NotFoundError', notFound: true });
}

/**
 * Answers later, all that was asked for in one turn of the event loop together: EBT asks again when it is answered,
 * and would otherwise do so until the stack ends.
 */
function answerer(feeds: FeedLog): (callback: Callback, ask: () => unknown) => void {
  let asked: (() => void)[] = [];
  const answerAll = () => {
    const answers = asked;
    asked = [];
    for (const answer of answers) answer();
  };
  return (callback, ask) => {
    if (asked.length === 0) setImmediate(answerAll);
    asked.push(() => {
      let value: unknown;
      try {
        if (feeds.isClosed) throw new Error('the peer is ending');
        value = ask();
      } catch (error) {
        callback(error as Error);
        return;
      }
      callback(null, value);
    });
  };
}
