/** The database's methods, beside those of ssb-db on the same messages: names, arguments, answers, order. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { type TestContext, test } from 'node:test';
import type { Identity } from '../../../../src/config/identity.ts';
import type { SignedMessage } from '../../../../src/message/signed.ts';
import { databasePlugin } from '../../../../src/peer/engines/sqlite/plugin.ts';
import { iterate, promised } from '../../../../src/peer/pull.ts';
import { createStack } from '../../../../src/peer/ssb/stock.ts';
import type { PullSource, StackBuilder } from '../../../../src/peer/ssb/types.ts';
import { freePort } from '../../../helpers/free-port.ts';
import { freshDirectory } from '../../store/fake-feed.ts';
import { freshRecord, newKeys } from './fixture.ts';

const { createSsbServer } = createRequire(import.meta.url)('ssb-server') as { createSsbServer(): StackBuilder };

type Method = (...args: unknown[]) => unknown;
type Database = Record<string, Method>;

interface Both {
  readonly ours: Database;
  readonly theirs: Database;
  readonly keys: Identity;
  readonly messages: readonly SignedMessage[];
}

const CONTENTS = [
  { type: 'log', text: 'one' },
  { type: 'contact', contact: newKeys().id, following: true },
  { type: 'log', text: 'two' },
  { type: 'a-type-of-its-own', of: 'somebody' },
  { type: 'log', text: 'three' },
];

async function open(t: TestContext, stack: StackBuilder, keys: Identity): Promise<Database> {
  const net = { scope: 'device', transform: 'shs', port: await freePort(), host: '127.0.0.1' };
  const database = stack({
    path: freshDirectory(t),
    keys,
    caps: { shs: Buffer.alloc(32, 1).toString('base64') },
    connections: { incoming: { net: [net] }, outgoing: { net: [{ transform: 'shs' }] } },
  }) as unknown as Database;
  t.after(() => promised((callback) => database.close?.(callback)));
  return database;
}

/** The same messages in both: some of their own feed, and as many of another. */
async function both(t: TestContext): Promise<Both> {
  const keys = newKeys();
  const record = freshRecord(t, keys);
  const ours = await open(t, createStack().use(databasePlugin(record.feeds, '1.0.0')), keys);
  const theirs = await open(t, createSsbServer(), keys);
  const other = freshRecord(t);
  const messages: SignedMessage[] = [];
  for (const content of CONTENTS) {
    const published = await call<SignedMessage>(ours, 'publish', content);
    await call(theirs, 'add', published.value);
    messages.push(published);
    const foreign = await promised<SignedMessage>((callback) => other.feeds.publish(content, callback));
    for (const database of [ours, theirs]) await call(database, 'add', foreign.value);
    messages.push(foreign);
  }
  return { ours, theirs, keys, messages };
}

function call<T>(database: Database, method: string, ...args: unknown[]): Promise<T> {
  return promised<T>((callback) => database[method]?.(...args, callback));
}

/** Times of receipt are each database's own. */
function comparable(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return item;
  const { timestamp: _timestamp, ts: _ts, id, ...rest } = item as Record<string, unknown>;
  return { ...rest, ...('key' in item ? {} : { id }) };
}

async function read(database: Database, method: string, ...args: unknown[]): Promise<unknown[]> {
  const items = [];
  for await (const item of iterate((database[method] as Method)(...structuredClone(args)) as PullSource<unknown>)) {
    items.push(comparable(item));
  }
  return items;
}

/** ssb-db takes a message of the very time of `gt` as a later one. */
function between(messages: readonly SignedMessage[]): number {
  const [one = 0, other = 0] = messages.slice(3, 5).map(({ value }) => value.timestamp);
  return (one + other) / 2;
}

const STREAMS: readonly [method: string, options: (both: Both) => unknown][] = [
  ['createLogStream', () => ({})],
  ['createLogStream', () => ({ reverse: true })],
  ['createLogStream', () => ({ limit: 3 })],
  ['createLogStream', () => ({ limit: 3, reverse: true })],
  ['createLogStream', () => ({ keys: false })],
  ['createLogStream', () => ({ values: false })],
  ['createUserStream', ({ keys }) => ({ id: keys.id })],
  ['createUserStream', ({ keys }) => ({ id: keys.id, gt: 2 })],
  ['createUserStream', ({ keys }) => ({ id: keys.id, gte: 2, lt: 5 })],
  ['createUserStream', ({ keys }) => ({ id: keys.id, lte: 4, reverse: true, limit: 2 })],
  ['createUserStream', ({ keys }) => ({ id: keys.id, values: false })],
  ['createUserStream', () => ({ id: newKeys().id })],
  ['createHistoryStream', ({ keys }) => ({ id: keys.id })],
  ['createHistoryStream', ({ keys }) => ({ id: keys.id, seq: 3 })],
  ['createHistoryStream', ({ keys }) => ({ id: keys.id, sequence: 2, limit: 2, keys: false })],
  ['createHistoryStream', ({ keys }) => ({ id: keys.id, seq: 100 })],
  ['createFeedStream', () => ({ keys: false })],
  ['createFeedStream', () => ({ reverse: true, limit: 4, keys: false })],
  ['createFeedStream', ({ messages }) => ({ gt: between(messages), keys: false })],
  ['messagesByType', () => 'log'],
  ['messagesByType', () => ({ type: 'log', keys: false, limit: 2 })],
  ['messagesByType', () => ({ type: 'log', reverse: true })],
  ['messagesByType', () => ({ type: 'nothing-of-this-type' })],
];

test('streams give what those of ssb-db give, for the same options', async (t) => {
  const databases = await both(t);
  for (const [method, optionsOf] of STREAMS) {
    const options = optionsOf(databases);
    const what = `${method}(${JSON.stringify(options)})`;
    const [ours, theirs] = [await read(databases.ours, method, options), await read(databases.theirs, method, options)];
    assert.deepEqual(ours, theirs, what);
  }
});

test('answers are those of ssb-db', async (t) => {
  const { ours, theirs, keys, messages } = await both(t);
  const [first] = messages;
  assert.ok(first);
  const questions: readonly [method: string, ...args: unknown[]][] = [
    ['get', first.key],
    ['get', { id: first.key }],
    ['getVectorClock'],
    ['getFeedState', keys.id],
    ['getFeedState', newKeys().id],
    ['getLatest', keys.id],
    ['getLatest', newKeys().id],
    ['latestSequence', keys.id],
  ];
  for (const [method, ...args] of questions) {
    const what = `${method}(${JSON.stringify(args)})`;
    assert.deepEqual(await call(ours, method, ...args), await call(theirs, method, ...args), what);
  }
  const withMeta = { id: first.key, meta: true };
  assert.deepEqual(comparable(await call(ours, 'get', withMeta)), comparable(await call(theirs, 'get', withMeta)));
  const second = await call(ours, 'getAtSequence', [keys.id, 2]);
  assert.deepEqual(comparable(second), comparable(await call(theirs, 'getAtSequence', [keys.id, 2])));
  assert.deepEqual(await call(ours, 'getAtSequence', `${keys.id}:2`), second);
  const byAuthor = (items: unknown[]) => items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  assert.deepEqual(byAuthor(await read(ours, 'latest')), byAuthor(await read(theirs, 'latest')));
});

test('a message is found by its position too, which `get`, `since` and `createSequenceStream` tell', async (t) => {
  const { ours, theirs, messages } = await both(t);
  const [earlier, newest] = messages.slice(-2);
  assert.ok(earlier && newest);
  for (const database of [ours, theirs]) {
    const position = await new Promise((resolve, reject) => {
      database.get?.(earlier.key, (error: Error | null, _value: unknown, at: unknown) =>
        error ? reject(error) : resolve(at),
      );
    });
    assert.equal(typeof position, 'number');
    assert.equal((await call<SignedMessage>(database, 'get', position)).key, earlier.key);
    const { since } = (database.since as () => { since: number })();
    assert.equal((await call<SignedMessage>(database, 'get', since)).key, newest.key);
    const positions = (database.createSequenceStream as () => PullSource<number>)();
    assert.equal(await new Promise((resolve) => positions(null, (_end, position) => resolve(position))), since);
  }
});

test('wrong arguments are answered with the errors of ssb-db', async (t) => {
  const { ours, theirs } = await both(t);
  const wrong: readonly [method: string, ...args: unknown[]][] = [
    ['publish', { text: 'no type' }],
    ['publish', 42],
    ['publish'],
    ['add', {}],
    ['add', 'text'],
    ['get', '%nonsense'],
    ['getFeedState', 'nobody'],
    ['latestSequence', 'nobody'],
    ['createUserStream', { id: 'nobody' }],
    ['createUserStream', { id: newKeys().id, limit: 'three' }],
    ['createHistoryStream', { id: newKeys().id, seq: 'one' }],
    ['createLogStream', { live: 'yes' }],
  ];
  const failure = async (database: Database, method: string, args: unknown[]) => {
    const isStream = method.startsWith('create') || method === 'messagesByType';
    const error = await (isStream ? read(database, method, ...args) : call(database, method, ...args)).then(
      () => undefined,
      (reason: Error) => reason,
    );
    return error && `${error.name}: ${error.message}`;
  };
  for (const [method, ...args] of wrong) {
    const theirFailure = await failure(theirs, method, args);
    assert.ok(theirFailure, `${method}(${JSON.stringify(args)}) fails`);
    assert.equal(await failure(ours, method, args), theirFailure, `${method}(${JSON.stringify(args)})`);
  }
});

test('what is not there is answered with an error', async (t) => {
  const { ours } = await both(t);
  const { id } = newKeys();
  await assert.rejects(call(ours, 'get', `%${'A'.repeat(43)}=.sha256`), /not found/);
  await assert.rejects(call(ours, 'getAtSequence', [id, 1]), /not found/);
  await assert.rejects(call(ours, 'latestSequence', id), /not found/);
});

const LIVE: readonly [method: string, options: (id: string) => object, expected: readonly unknown[]][] = [
  ['createLogStream', () => ({ live: true, keys: false }), ['one', 'two', 'sync', 'three', 'four']],
  ['createLogStream', () => ({ live: true, old: false, keys: false }), ['three', 'four']],
  ['createLogStream', () => ({ live: true, sync: false, keys: false }), ['one', 'two', 'three', 'four']],
  ['createUserStream', (id) => ({ id, live: true, keys: false }), ['one', 'two', 'sync', 'three', 'four']],
  ['createUserStream', (id) => ({ id, live: true, old: false, keys: false }), ['three', 'four']],
  // Its `sync` is the wrong way round, in ssb-db too.
  ['createHistoryStream', (id) => ({ id, live: true, seq: 2, keys: false }), ['two', 'three', 'four']],
  ['createHistoryStream', (id) => ({ id, live: true, sync: true, keys: false }), ['one', 'two', 'three', 'four']],
  [
    'createHistoryStream',
    (id) => ({ id, live: true, sync: false, keys: false }),
    ['one', 'two', 'sync', 'three', 'four'],
  ],
  ['createFeedStream', () => ({ live: true, keys: false }), ['one', 'two', 'sync', 'three', 'four']],
  ['messagesByType', () => ({ type: 'log', live: true, keys: false }), ['one', 'two', 'sync', 'three', 'four']],
];

for (const [method, optionsOf, expected] of LIVE) {
  test(`${method} goes on live with ${JSON.stringify(optionsOf('…'))}`, async (t) => {
    const keys = newKeys();
    const record = freshRecord(t, keys);
    const database = await open(t, createStack().use(databasePlugin(record.feeds, '1.0.0')), keys);
    for (const text of ['one', 'two']) await call(database, 'publish', { type: 'log', text });
    const source = (database[method] as Method)(optionsOf(keys.id)) as PullSource<{
      sync?: true;
      content: { text: string };
    }>;
    const read = (async () => {
      const seen: string[] = [];
      for await (const item of iterate(source)) {
        seen.push(item.sync ? 'sync' : item.content.text);
        if (seen.length === expected.length) break;
      }
      return seen;
    })();
    for (const text of ['three', 'four']) await call(database, 'publish', { type: 'log', text });
    assert.deepEqual(await read, expected);
  });
}

test('a stream that waits ends when the peer does', async (t) => {
  const keys = newKeys();
  const record = freshRecord(t, keys);
  const database = await open(t, createStack().use(databasePlugin(record.feeds, '1.0.0')), keys);
  const reading = read(database, 'createLogStream', { live: true, sync: false });
  record.feeds.close();
  assert.deepEqual(await reading, []);
});
