/** Messages that rush in are verified, and own ones signed, on two threads: what comes of it is the same as with one. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SignedMessage, SignedValue } from '../../../../src/message/signed.ts';
import { encode, messageId, sign } from '../../../../src/peer/engines/sqlite/classic.ts';
import { FeedLog } from '../../../../src/peer/engines/sqlite/feed-log.ts';
import type { SignatureThreadOptions } from '../../../../src/peer/engines/sqlite/signature-thread.ts';
import { signedId } from '../../../../src/peer/engines/sqlite/validate.ts';
import { promised } from '../../../../src/peer/pull.ts';
import { openStore } from '../../../../src/store/open.ts';
import type { Store } from '../../../../src/store/store.ts';
import { freshDirectory } from '../../store/fake-feed.ts';
import { newKeys, type Record } from './fixture.ts';
import { BROKEN, CountedThread, SILENT, startedThread } from './thread.ts';

const HMAC_KEY = Buffer.alloc(32, 7);

interface Rush extends Record {
  readonly thread: CountedThread;
}

async function rushing(t: TestContext, options: { hmacKey?: Buffer; thread?: SignatureThreadOptions } = {}) {
  const thread = await startedThread(t, options.thread);
  const store = openStore(join(freshDirectory(t), 'store.db'));
  const keys = newKeys();
  const feeds = new FeedLog({ keys, store, thread, hmacKey: options.hmacKey });
  t.after(() => {
    feeds.close();
    store.close();
  });
  return { feeds, store, keys, thread } satisfies Rush;
}

function feedOf(count: number, { keys = newKeys(), hmacKey = undefined as Buffer | undefined } = {}): SignedValue[] {
  const values: SignedValue[] = [];
  let previous: string | null = null;
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const content = { type: 'log', text: `line ${sequence}` };
    const unsigned = { previous, sequence, author: keys.id, timestamp: sequence, hash: 'sha256' as const, content };
    const { text, value } = sign(unsigned, encode(unsigned), keys, hmacKey);
    previous = messageId(text);
    values.push(value);
  }
  return values;
}

/** What became of a message: its key, or why it was refused. */
function outcome(feeds: FeedLog, value: unknown): Promise<string> {
  return new Promise((resolve) => {
    feeds.add(value, (error, message) =>
      resolve(error ? `${error.message} (fatal: ${(error as { fatal?: boolean }).fatal})` : String(message?.key)),
    );
  });
}

/** Many feeds in turns, with all that a peer may send: forged, altered, doubled, too early, of no shape at all. */
function disorder(count: number): unknown[] {
  const feeds = Array.from({ length: 3 }, () => feedOf(count));
  const values: unknown[] = [];
  for (let index = 0; index < count; index += 1) {
    for (const [number, feed] of feeds.entries()) {
      const value = feed[index] as SignedValue;
      if (index % 50 === 10 + number) values.push({ ...value, content: { type: 'log', text: 'forged' } });
      if (index % 50 === 20 + number) values.push(feed[index + 1]);
      if (index % 50 === 30 + number) values.push({ ...value, signature: `${'A'.repeat(86)}==.sig.ed25519` });
      if (index % 50 === 35 + number)
        values.push({ ...value, signature: value.signature.replace('==.', '=.') }, null, 7);
      if (index % 50 === 40 + number) values.push({ ...value, previous: value.author }, { ...value, extra: 1 }, {});
      values.push(value);
      if (index % 50 === 45 + number) values.push(value);
    }
  }
  // What follows a forged message of a feed that the others have not reached: all of it is refused.
  const broken = feedOf(40);
  values.push(...broken.slice(0, 20), { ...broken[20], timestamp: 99 }, ...broken.slice(21));
  return values;
}

/** So many at once that all wait for their turn, and so many that some are given it early. */
for (const count of [150, 400]) {
  test(`of three feeds with ${count} messages each, and all else that peers can send, the same is taken and refused`, async (t) => {
    const values = disorder(count);
    const [rush, calm] = [await rushing(t), await rushing(t)];
    calm.thread.close();
    const expected: string[] = [];
    for (const value of values) expected.push(await outcome(calm.feeds, value));
    const outcomes = await Promise.all(values.map((value) => outcome(rush.feeds, value)));
    assert.deepEqual(outcomes, expected);
    assert.ok(rush.thread.jobs > 0);
    assert.equal(calm.thread.jobs, 0);
    assert.deepEqual(rush.store.clock(), calm.store.clock());
    assert.equal(rush.store.messageCount(), 3 * count + 20);
  });
}

test('so it is where the network mixes a key into its signatures', async (t) => {
  const { feeds, thread } = await rushing(t, { hmacKey: HMAC_KEY });
  const [ours, theirs] = [feedOf(200, { hmacKey: HMAC_KEY }), feedOf(200)];
  const outcomes = await Promise.all([...ours, ...theirs].map((value) => outcome(feeds, value)));
  assert.ok(outcomes.slice(0, 200).every((text) => text.startsWith('%')));
  assert.match(outcomes[200] ?? '', /invalid signature \(fatal: true\)/);
  assert.ok(thread.jobs > 0);
});

test('peers are told of messages in the order in which they came, and once they are stored', async (t) => {
  const { feeds, store } = await rushing(t);
  const values = feedOf(600);
  const told: number[] = [];
  feeds.post(({ value }) => {
    assert.ok((store.log.head(value.author)?.sequence ?? 0) >= value.sequence);
    told.push(value.sequence);
  });
  await Promise.all(values.map((value) => outcome(feeds, value)));
  assert.deepEqual(
    told,
    values.map(({ sequence }) => sequence),
  );
});

test('a thread that dies in a rush takes no message with it', async (t) => {
  const { feeds, thread } = await rushing(t, { thread: { script: BROKEN } });
  const outcomes = await Promise.all(feedOf(400).map((value) => outcome(feeds, value)));
  assert.ok(outcomes.every((text) => text.startsWith('%')));
  assert.ok(thread.jobs > 0);
});

test('when it ends in a rush, all that was given before is stored', async (t) => {
  const { feeds, store } = await rushing(t);
  const values = feedOf(300);
  const outcomes = Promise.all(values.map((value) => outcome(feeds, value)));
  feeds.close();
  assert.ok((await outcomes).every((text) => text.startsWith('%')));
  assert.equal(store.messageCount(), 300);
});

test("this machine's own messages do not wait with others': the next one follows them", async (t) => {
  const { feeds, keys } = await rushing(t);
  const others = feedOf(300).map((value) => outcome(feeds, value));
  const own = feedOf(5, { keys }).map((value) => outcome(feeds, value));
  const published = new Promise<SignedMessage>((resolve, reject) => {
    feeds.publish({ type: 'log', text: 'next' }, (error, message) => (message ? resolve(message) : reject(error)));
  });
  assert.equal((await published).value.sequence, 6);
  assert.ok((await Promise.all([...others, ...own])).every((text) => text.startsWith('%')));
});

test('a rush starts the thread, and a trickle does not', async (t) => {
  const thread = new CountedThread({ cores: 2 });
  const store = openStore(join(freshDirectory(t), 'store.db'));
  const feeds = new FeedLog({ keys: newKeys(), store, thread });
  t.after(() => {
    feeds.close();
    store.close();
  });
  let starts = 0;
  const start = thread.start.bind(thread);
  thread.start = () => {
    starts += 1;
    start();
  };
  for (const value of feedOf(600)) await outcome(feeds, value);
  assert.equal(starts, 0);
  await Promise.all(feedOf(600).map((value) => outcome(feeds, value)));
  assert.ok(starts > 0);
});

const line = (text: string) => ({ type: 'log', text });
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => line(`${from + index}`));

/** A feed as it is stored, after a look at whether it is one. */
function stored({ store, keys }: Record): string[] {
  let previous: string | null = null;
  return [...store.messages(keys.id, 0)].map(({ key, value }, index) => {
    assert.equal(value.previous, previous);
    assert.equal(value.sequence, index + 1);
    assert.equal(signedId(value), key);
    previous = key;
    return (value.content as { text: string }).text;
  });
}

async function publishOne({ feeds }: Record, text: string): Promise<void> {
  await promised((callback) => feeds.publish(line(text), callback));
}

test("this machine's own messages that rush in are signed by the thread, while those before are stored", async (t) => {
  const rush = await rushing(t);
  await publishOne(rush, '0');
  const groups = [lines(1, 201), lines(201, 401), lines(401, 501)];
  const told: string[] = [];
  rush.feeds.post(({ value }) => {
    assert.ok((rush.store.log.head(value.author)?.sequence ?? 0) >= value.sequence);
    told.push((value.content as { text: string }).text);
  }, false);
  await Promise.all(groups.map(async (group) => rush.feeds.publishAll(group).durable));
  const texts = lines(0, 501).map(({ text }) => text);
  assert.deepEqual(stored(rush), texts);
  assert.deepEqual(told, texts.slice(1));
  assert.equal(rush.thread.signed, 3);
});

test('in between, whatever comes has its place at once', async (t) => {
  const rush = await rushing(t);
  const { feeds, keys } = rush;
  const own = feedOf(5, { keys });
  await Promise.all(own.slice(0, 4).map((value) => outcome(feeds, value)));
  // From a peer, as after a repair: it can only be refused behind what has its place already.
  const first = feeds.publishAll(lines(5, 105)).durable;
  assert.match(await outcome(feeds, own[4]), /expected sequence 105 but got:5/);
  const others = feedOf(300).map((value) => outcome(feeds, value));
  const second = feeds.publishAll(lines(105, 305)).durable;
  const alone = publishOne(rush, '305');
  const few = feeds.publishAll(lines(306, 309)).durable;
  const third = feeds.publishAll(lines(309, 400)).durable;
  await Promise.all([first, second, alone, few, third]);
  assert.ok((await Promise.all(others)).every((text) => text.startsWith('%')));
  assert.deepEqual(stored(rush), [
    ...own.slice(0, 4).map(({ content }) => (content as { text: string }).text),
    ...lines(5, 400).map(({ text }) => text),
  ]);
  assert.ok(rush.thread.signed >= 3);
});

test('when a transaction fails, what has its place behind it fails too, and the feed goes on without a gap', async (t) => {
  const rush = await rushing(t);
  let isFull = false;
  let tries = 0;
  const disk: Store = {
    ...rush.store,
    ingest: (messages, isOwn) => {
      if (!isFull) return rush.store.ingest(messages, isOwn);
      tries += 1;
      throw new Error('no space left');
    },
  };
  const feeds = new FeedLog({ keys: rush.keys, store: disk, thread: rush.thread });
  t.after(() => feeds.close());
  const record = { ...rush, feeds };
  await publishOne(record, '0');
  isFull = true;
  const placed = [
    feeds.publishAll(lines(1, 101)),
    feeds.publishAll(lines(101, 201)),
    feeds.publishAll(lines(201, 301)),
  ];
  const ends = await Promise.allSettled(placed.map(({ durable }) => durable));
  assert.ok(ends.every((end) => end.status === 'rejected' && /no space left/.test(String(end.reason))));
  assert.equal(tries, 1);
  isFull = false;
  await Promise.all([feeds.publishAll(lines(1, 151)).durable, feeds.publishAll(lines(151, 301)).durable]);
  assert.deepEqual(
    stored(record),
    lines(0, 301).map(({ text }) => text),
  );
});

test('when it ends, what has its place is stored', async (t) => {
  const rush = await rushing(t);
  await publishOne(rush, '0');
  const placed = [rush.feeds.publishAll(lines(1, 101)), rush.feeds.publishAll(lines(101, 201))];
  rush.feeds.close();
  await Promise.all(placed.map(({ durable }) => durable));
  assert.deepEqual(
    stored(rush),
    lines(0, 201).map(({ text }) => text),
  );
  assert.throws(() => rush.feeds.publishAll(lines(201, 301)), /the peer is ending/);
});

test('a thread that dies in a rush of own messages takes none with it', async (t) => {
  const rush = await rushing(t, { thread: { script: BROKEN } });
  await publishOne(rush, '0');
  await Promise.all([rush.feeds.publishAll(lines(1, 101)).durable, rush.feeds.publishAll(lines(101, 201)).durable]);
  assert.deepEqual(
    stored(rush),
    lines(0, 201).map(({ text }) => text),
  );
  assert.equal(rush.thread.signed, 2);
});

test('a silent thread keeps nobody waiting for ever', async (t) => {
  const rush = await rushing(t, { thread: { script: SILENT, silenceMs: 50 } });
  await publishOne(rush, '0');
  await Promise.all([rush.feeds.publishAll(lines(1, 101)).durable, rush.feeds.publishAll(lines(101, 201)).durable]);
  assert.deepEqual(
    stored(rush),
    lines(0, 201).map(({ text }) => text),
  );
});

test('a thread that turns out to be silent in the midst of all that rushes in mixes nothing up', async (t) => {
  const rush = await rushing(t, { thread: { script: SILENT, silenceMs: 50 } });
  const { feeds } = rush;
  await publishOne(rush, '0');
  const others = feedOf(1000).map((value) => outcome(feeds, value));
  const single = [1, 2, 3].map((number) => publishOne(rush, String(number)));
  const groups = [lines(4, 260), lines(260, 516), lines(516, 772), lines(772, 804)];
  await Promise.all([...single, ...groups.map(async (group) => feeds.publishAll(group).durable)]);
  assert.ok((await Promise.all(others)).every((text) => text.startsWith('%')));
  assert.deepEqual(
    stored(rush),
    lines(0, 804).map(({ text }) => text),
  );
  assert.equal(rush.store.messageCount(), 1804);
});

test('nothing gets a place behind what has failed, until that is told', async (t) => {
  const rush = await rushing(t);
  let isFull = false;
  const disk: Store = {
    ...rush.store,
    ingest: (messages, isOwn) => {
      if (isFull) throw new Error('no space left');
      return rush.store.ingest(messages, isOwn);
    },
  };
  const feeds = new FeedLog({ keys: rush.keys, store: disk }); // without a thread others' have their turn at once
  t.after(() => feeds.close());
  const record = { ...rush, feeds };
  await publishOne(record, '0');
  const placed = feeds.publishAll(lines(1, 201)).durable;
  isFull = true;
  const others = feedOf(768).map((value) => outcome(feeds, value)); // more than may wait: written early
  isFull = false;
  assert.throws(() => feeds.publishAll(lines(201, 301)), /no space left/);
  await assert.rejects(placed, /no space left/);
  await Promise.all(others);
  await feeds.publishAll(lines(1, 301)).durable;
  assert.deepEqual(
    stored(record),
    lines(0, 301).map(({ text }) => text),
  );
});
