/** The follow graph: who is replicated, who is let in, from contacts that were there and contacts that come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followGraph } from '../../../src/peer/follow-graph.ts';
import { iterate, promised } from '../../../src/peer/pull.ts';
import type { Callback, PullSource } from '../../../src/peer/ssb/types.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { FakeFeed } from '../store/fake-feed.ts';

const [SELF, A, B, C, D] = ['self', 'a', 'b', 'c', 'd'].map((name) => new FakeFeed(name)) as [
  FakeFeed,
  FakeFeed,
  FakeFeed,
  FakeFeed,
  FakeFeed,
];

type Listener = (message: ReturnType<FakeFeed['message']>) => void;

interface Friends {
  isFollowing(pair: object, callback: Callback<boolean>): void;
  isBlocking(pair: object, callback: Callback<boolean>): void;
  hops(callback: Callback<Record<string, number>>): void;
  get(options: object | null, callback: Callback): void;
  createFriendStream(options: object): PullSource<unknown>;
}

/** A stack that only remembers what the graph asks of it. */
function stackWith(maxHops: number) {
  const wanted = new Set<string>();
  const blocks = new Set<string>();
  let post: Listener = () => undefined;
  let authorize: (id: string, callback: Callback) => void = (_id, callback) => callback(null);
  const graph = followGraph(maxHops);
  const { init } = graph.plugin as { init(stack: unknown): Friends };
  const friends = init({
    id: SELF.id,
    auth: {
      hook: (wrapper: (original: typeof authorize, args: unknown[]) => void) => {
        const original = authorize;
        authorize = (...args) => wrapper(original, args);
      },
    },
    replicate: {
      request: (feed: string, isWanted: boolean) => (isWanted ? wanted.add(feed) : wanted.delete(feed)),
      block: (from: string, to: string, isBlocking: boolean) =>
        isBlocking ? blocks.add(`${from} ${to}`) : blocks.delete(`${from} ${to}`),
    },
    post: (listener: Listener) => {
      post = listener;
      return () => undefined;
    },
  });
  return {
    ...graph,
    friends,
    wanted,
    blocks,
    say: (from: FakeFeed, to: FakeFeed, what: object) =>
      post(from.message({ type: 'contact', contact: to.id, ...what })),
    letIn: (id: string) => promised<unknown>((callback) => authorize(id, callback)),
  };
}

function follows(from: FakeFeed, to: FakeFeed) {
  return { from: from.id, to: to.id, following: true, blocking: false };
}

function blocking(from: FakeFeed, to: FakeFeed) {
  return { from: from.id, to: to.id, following: false, blocking: true };
}

async function waitForWanted({ wanted }: { wanted: Set<string> }, ...feeds: FakeFeed[]): Promise<void> {
  const expected = feeds.map(({ id }) => id).sort();
  await waitFor('the wanted feeds', () => String([...wanted].sort()) === String(expected), {
    everyMs: 1,
    deadlineMs: 2000,
    detail: () => [...wanted].join(),
  });
}

test('feeds within the hops are asked for, others are not', async () => {
  const stack = stackWith(2);
  stack.load([follows(SELF, A), follows(A, B), follows(B, C)]);
  await waitForWanted(stack, SELF, A, B);
});

test('a follow, an unfollow and a block take effect at once', async () => {
  const stack = stackWith(3);
  stack.load([follows(SELF, A)]);
  await waitForWanted(stack, SELF, A);
  stack.say(SELF, B, { following: true });
  stack.say(B, C, { following: true });
  await waitForWanted(stack, SELF, A, B, C);
  stack.say(SELF, B, { following: false });
  await waitForWanted(stack, SELF, A);
  stack.say(SELF, A, { blocking: true });
  await waitForWanted(stack, SELF);
  assert.deepEqual([...stack.blocks], [`${SELF.id} ${A.id}`]);
  stack.say(SELF, A, { blocking: false });
  assert.deepEqual([...stack.blocks], []);
});

test('who is blocked is not let in, and nobody is before it is known who is', async () => {
  const stack = stackWith(3);
  const [good, bad] = [stack.letIn(A.id), stack.letIn(B.id)];
  let isAnswered = false;
  void good.then(() => {
    isAnswered = true;
  });
  const refused = assert.rejects(bad, /client is blocked/);
  await new Promise(setImmediate);
  assert.equal(isAnswered, false);
  stack.load([blocking(SELF, B), blocking(A, C)]);
  await good;
  await refused;
  await stack.letIn(C.id);
  assert.deepEqual([...stack.blocks].sort(), [`${SELF.id} ${B.id}`, `${A.id} ${C.id}`].sort());
});

test('what was said while the stored contacts were being read is the later word', async () => {
  const stack = stackWith(3);
  stack.say(SELF, A, { following: false });
  stack.say(SELF, B, { following: true });
  stack.load([follows(SELF, A)]);
  await waitForWanted(stack, SELF, B);
});

test('a contact that says nothing of following or blocking changes nothing', async () => {
  const stack = stackWith(3);
  stack.load([follows(SELF, A)]);
  stack.say(SELF, A, { note: 'a friend' });
  await waitForWanted(stack, SELF, A);
});

test('stock software asks it as it asks ssb-friends', async () => {
  const { friends, load } = stackWith(3);
  load([follows(SELF, A), follows(A, B), blocking(SELF, D)]);
  const ask = <T>(call: (callback: Callback<T>) => void) => promised<T>(call);
  const pair = (source: FakeFeed, dest: FakeFeed) => ({ source: source.id, dest: dest.id });
  assert.equal(await ask((callback) => friends.isFollowing(pair(SELF, A), callback)), true);
  assert.equal(await ask((callback) => friends.isFollowing(pair(SELF, B), callback)), false);
  assert.equal(await ask((callback) => friends.isBlocking(pair(SELF, D), callback)), true);
  assert.equal(await ask((callback) => friends.isBlocking(pair(SELF, A), callback)), false);
  const hops = await ask<Record<string, number>>((callback) => friends.hops(callback));
  assert.deepEqual([hops[SELF.id], hops[A.id], hops[B.id], (hops[D.id] ?? 0) < 0], [0, 1, 2, true]);
  assert.deepEqual(await ask((callback) => friends.get({ source: SELF.id }, callback)), {
    [A.id]: true,
    [D.id]: false,
  });
  assert.deepEqual(
    await ask((callback) => friends.get(null, callback)),
    await ask((callback) => friends.get({}, callback)),
  );
  assert.deepEqual(await ask((callback) => friends.get({ dest: B.id }, callback)), { [A.id]: true });
  assert.equal(await ask((callback) => friends.get(pair(SELF, D), callback)), false);
  const stream = [];
  for await (const feed of iterate(friends.createFriendStream({}))) stream.push(feed);
  assert.deepEqual(stream, [SELF.id, A.id, B.id]);
});
