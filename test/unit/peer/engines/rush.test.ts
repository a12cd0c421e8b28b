/** Messages that rush in are verified on two threads: what is taken and what is refused is the same as with one. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SignedMessage, SignedValue } from '../../../../src/message/signed.ts';
import { encode, messageId, sign } from '../../../../src/peer/engines/sqlite/classic.ts';
import { FeedLog } from '../../../../src/peer/engines/sqlite/feed-log.ts';
import { SignatureThread, type SignatureThreadOptions } from '../../../../src/peer/engines/sqlite/signature-thread.ts';
import { openStore } from '../../../../src/store/open.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { freshDirectory } from '../../store/fake-feed.ts';
import { newKeys, type Record } from './fixture.ts';

const HMAC_KEY = Buffer.alloc(32, 7);

/** Counts what it is given. */
class CountedThread extends SignatureThread {
  jobs = 0;

  override check(...[jobs, answer]: Parameters<SignatureThread['check']>): void {
    this.jobs += jobs.length;
    super.check(jobs, answer);
  }
}

interface Rush extends Record {
  readonly thread: CountedThread;
}

async function rushing(t: TestContext, options: { hmacKey?: Buffer; thread?: SignatureThreadOptions } = {}) {
  const thread = new CountedThread({ cores: 2, ...options.thread });
  const store = openStore(join(freshDirectory(t), 'store.db'));
  const keys = newKeys();
  const feeds = new FeedLog({ keys, store, thread, hmacKey: options.hmacKey });
  t.after(() => {
    feeds.close();
    store.close();
  });
  thread.start();
  await waitFor('the thread', () => thread.isReady);
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
  const script = new URL(
    `data:text/javascript,import { parentPort } from 'node:worker_threads';
     parentPort.on('message', () => { throw new Error('broken') }); parentPort.postMessage('ready');`,
  );
  const { feeds, thread } = await rushing(t, { thread: { script } });
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
