/** The writer over a real feed, whose disk fails now and then: every line of every run is there, once and in its order. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SsblogError } from '../../../src/errors.ts';
import type { LogContent } from '../../../src/message/content.ts';
import { FeedLog } from '../../../src/peer/engines/sqlite/feed-log.ts';
import { signedId } from '../../../src/peer/engines/sqlite/validate.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { Writer } from '../../../src/writer/publish.ts';
import { type Random, seededRandom } from '../../helpers/random.ts';
import { newKeys } from '../peer/engines/fixture.ts';
import { startedThread } from '../peer/engines/thread.ts';
import { freshDirectory } from '../store/fake-feed.ts';

const SEEDS = 12;
const RUNS = { a: 1500, b: 900, c: 300, d: 40 };
const WINDOW_CALLS = 4;

function mustBeFull(error: unknown): void {
  assert.match(String(error), /no space left/);
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Fails one commit in four, also when it has read some of what it stores. */
function failing(store: Store, random: Random, isOver: () => boolean): Store {
  return {
    ...store,
    ingest: (messages, isOwn) => {
      if (!isOver() && random.below(4) === 0) throw new SsblogError('store', 'no space left');
      return store.ingest(messages, isOwn);
    },
  };
}

/** Sends a run as `ssblog pipe` does: some calls at a time; from a failure on, what is left goes by the spool. */
async function send(writer: Writer, random: Random, run: string, total: number): Promise<void> {
  const contents = Array.from({ length: total }, (_, index): LogContent => {
    return { type: 'log', text: `${run} ✓ ${index + 1}`, run, line: index + 1 };
  });
  let left: LogContent[][] = [];
  let next = 0;
  const underWay = new Set<Promise<void>>();
  for (let isRefused = false; next < total && !isRefused; ) {
    const size = random.below(3) === 0 ? 1 + random.below(20) : 64 + random.below(193);
    const call = contents.slice(next, next + size);
    next += call.length;
    left.push(call);
    const answer: Promise<void> = writer.write(call).then(
      () => {
        left = left.filter((other) => other !== call);
      },
      (error: unknown) => {
        mustBeFull(error);
        isRefused = true;
      },
    );
    underWay.add(answer);
    void answer.finally(() => underWay.delete(answer));
    // Sent again at once, as by a client whose connection broke; it may be refused like the first.
    if (random.below(10) === 0) void writer.write(call).catch(mustBeFull);
    if (random.below(3) === 0) await nextTurn();
    while (underWay.size === WINDOW_CALLS) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  if (left.length > 0) await spool(writer, [...left.flat(), ...contents.slice(next)]);
}

async function spool(writer: Writer, contents: readonly LogContent[]): Promise<void> {
  for (let start = 0; start < contents.length; ) {
    const part = contents.slice(start, start + 256);
    const isDurable = await writer.writeSpooled(part).then(
      () => true,
      (error: unknown) => {
        mustBeFull(error);
        return false;
      },
    );
    if (isDurable) start += part.length;
    else await nextTurn();
  }
}

async function lines(t: TestContext, seed: number): Promise<Map<string, number[]>> {
  const random = seededRandom(seed);
  let isOver = false;
  const keys = newKeys();
  const store = openStore(join(freshDirectory(t), 'store.db'));
  const thread = await startedThread(t, { idleMs: 20 + random.below(200) });
  const feeds = new FeedLog({ keys, store: failing(store, random, () => isOver), thread });
  t.after(() => {
    feeds.close();
    store.close();
  });
  const writer = new Writer({
    ready: async () => {
      for (let turns = random.below(4) === 0 ? random.below(10) : 0; turns > 0; turns -= 1) await nextTurn();
    },
    publish: async (contents) => feeds.publishAll(contents),
    storedProgress: (run) => store.runProgress(keys.id, run),
  });
  const disturb = async () => {
    while (!isOver) {
      await nextTurn();
      const what = random.below(20);
      if (what === 0) thread.start();
      if (what === 1) thread.close();
      if (what === 2) feeds.publish({ type: 'post', text: 'by a stock client' }, (error) => error && mustBeFull(error));
    }
  };
  const disturbance = disturb();
  await Promise.all(Object.entries(RUNS).map(([run, total]) => send(writer, random, run, total)));
  await writer.idle();
  isOver = true;
  await disturbance;

  const found = new Map<string, number[]>();
  let previous: string | null = null;
  let sequence = 0;
  for (const { key, value } of store.messages(keys.id, 0)) {
    sequence += 1;
    assert.equal(value.previous, previous);
    assert.equal(value.sequence, sequence);
    assert.equal(signedId(value), key);
    previous = key;
    const { type, run, line } = value.content as LogContent;
    if (String(type) === 'log') found.set(run as string, [...(found.get(run as string) ?? []), line as number]);
  }
  return found;
}

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`every line once and in its order, whatever fails: seed ${seed}`, async (t) => {
    const found = await lines(t, seed);
    for (const [run, total] of Object.entries(RUNS))
      assert.deepEqual(
        found.get(run),
        Array.from({ length: total }, (_, index) => index + 1),
      );
  });
}
