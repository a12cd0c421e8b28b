import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Identity } from '../../../../src/config/identity.ts';
import type { SignedMessage, SignedValue } from '../../../../src/message/signed.ts';
import { encode, messageId, sign } from '../../../../src/peer/engines/sqlite/classic.ts';
import { isFork } from '../../../../src/peer/own-feed/fork.ts';
import { OwnFeedGuard } from '../../../../src/peer/own-feed/guard.ts';
import type { OwnFeedState } from '../../../../src/peer/own-feed/state-file.ts';

const SETTLE_MS = 1_000;
const PATIENCE_MS = 30_000;
const START_MS = 1_000_000;

function newIdentity(): Identity {
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = privateKey.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(jwk.d as string, 'base64url'), Buffer.from(jwk.x as string, 'base64url')];
  const publicKey = `${point.toString('base64')}.ed25519`;
  return {
    curve: 'ed25519',
    public: publicKey,
    private: `${Buffer.concat([seed, point]).toString('base64')}.ed25519`,
    id: `@${publicKey}`,
  };
}

/** A feed of so many messages; the text makes another branch. */
function feedOf(keys: Identity, length: number, text = 'as it was', timestamp = START_MS - 1_000): SignedMessage[] {
  return grown([], { keys, length, text, timestamp });
}

/** A feed of nine messages that has so many in common with the one of nine. */
function branching(keys: Identity, common: number): SignedMessage[] {
  return grown(feedOf(keys, common), { keys, length: 9, text: 'another branch', timestamp: START_MS - 1_000 });
}

interface Growth {
  readonly keys: Identity;
  readonly length: number;
  readonly text: string;
  readonly timestamp: number;
}

function grown(messages: SignedMessage[], { keys, length, text, timestamp }: Growth): SignedMessage[] {
  for (let sequence = messages.length + 1; sequence <= length; sequence += 1) {
    const unsigned = {
      previous: messages.at(-1)?.key ?? null,
      sequence,
      author: keys.id,
      timestamp,
      hash: 'sha256' as const,
      content: { type: 'log', text },
    };
    const signed = sign(unsigned, encode(unsigned), keys);
    messages.push({ key: messageId(signed.text), value: signed.value, timestamp });
  }
  return messages;
}

function setUp(t: TestContext, { here, there, state }: Partial<Parts> = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const parts = { keys: newIdentity(), notices: [] as string[], saved: [] as OwnFeedState[], events: [] as string[] };
  const own = here?.(parts.keys) ?? [];
  const remote = there?.(parts.keys) ?? [];
  const asked: number[] = [];
  const clock = { ms: START_MS };
  const waiting: (() => void)[] = [];
  const answers = { isHeldBack: false, giveOne: () => waiting.shift()?.() };
  const guard = new OwnFeedGuard({
    id: parts.keys.id,
    head: own.length,
    at: async (sequence) => own[sequence - 1],
    ask: async (peer, sequence) => {
      asked.push(sequence);
      if (answers.isHeldBack) await new Promise<void>((resolve) => waiting.push(resolve));
      return peer === 'nobody' ? undefined : remote[sequence - 1]?.value;
    },
    seesTwin: async (peer) => peer === 'witness',
    state: { isClosed: false, isKnown: true, ...state },
    save: (saved) => parts.saved.push(saved),
    notice: (text) => parts.notices.push(text),
    onCloned: () => parts.events.push('cloned'),
    onFree: () => parts.events.push('free'),
    now: () => clock.ms,
    settleMs: SETTLE_MS,
    crashPatienceMs: PATIENCE_MS,
  });
  t.after(() => guard.close());
  return { ...parts, guard, remote, asked, clock, answers };
}

interface Parts {
  here: (keys: Identity) => SignedMessage[];
  there: (keys: Identity) => SignedMessage[];
  state: Partial<OwnFeedState>;
}

const feed = (length: number, text?: string, timestamp?: number) => (keys: Identity) =>
  feedOf(keys, length, text, timestamp);

/** Until what a peer was asked has been looked into. */
async function settled(guard: OwnFeedGuard): Promise<string> {
  try {
    await guard.inquire('nobody');
    await guard.ready();
    return 'free';
  } catch {
    return guard.hold?.reason ?? 'no hold';
  }
}

test('a peer that has as much as this machine changes nothing', async (t) => {
  const { guard, notices } = setUp(t, { here: feed(3), there: feed(3) });
  guard.heard('peer', 3);
  assert.equal(await settled(guard), 'free');
  assert.deepEqual(notices, []);
});

test('a peer that shows a later message of this machine keeps it from writing until it is here', async (t) => {
  const { guard, remote, events, saved } = setUp(t, { here: feed(3), there: feed(5) });
  guard.heard('peer', 5);
  assert.equal(await settled(guard), 'behind');
  assert.throws(() => guard.ready(), { code: 'held', message: /has 5 messages of it, here are 3/ });
  assert.equal(saved.at(-1)?.hold?.atLeast, 5, 'a restart does not forget it');

  guard.stored(remote[3]?.value as SignedValue);
  t.mock.timers.tick(SETTLE_MS);
  assert.equal(guard.hold?.reason, 'behind', 'one is still missing');
  guard.stored(remote[4]?.value as SignedValue);
  t.mock.timers.tick(SETTLE_MS);
  assert.equal(guard.hold, undefined);
  assert.equal(saved.at(-1)?.hold, undefined);
  assert.deepEqual(events, ['free']);
});

test('whoever takes the feed may hold all of it later, though it never says so', (t) => {
  const { guard, saved } = setUp(t, { here: feed(3), there: feed(0), state: { isKnown: false } });
  guard.heard('peer', 0);
  assert.equal(saved.at(-1)?.isKnown, true);
  assert.equal(guard.hold, undefined);
});

test('writing waits for the answer of a peer that says that it has more', async (t) => {
  const { guard } = setUp(t, { here: feed(3), there: feed(5) });
  guard.heard('peer', 5);
  await assert.rejects(async () => guard.ready(), { code: 'held' });
});

test('who merely says that it has more is not believed', async (t) => {
  const { guard } = setUp(t, { here: feed(3), there: feed(3) });
  guard.heard('liar', 1_000_000);
  assert.equal(await settled(guard), 'free');
});

test('who goes on saying that it has more, and shows nothing, is waited for once a minute', async (t) => {
  const { guard, answers, clock, asked } = setUp(t, { here: feed(3), there: feed(3) });
  answers.isHeldBack = true;
  guard.heard('liar', 1_000);
  const waits = guard.ready();
  guard.heard('liar', 1_001);
  guard.heard('other liar', 1_002);
  assert.ok(waits instanceof Promise);
  answers.giveOne();
  answers.giveOne();
  await assert.doesNotReject(waits, 'what is said meanwhile does not prolong it');
  answers.giveOne();
  await guard.ready();
  guard.heard('liar', 1_003);
  assert.equal(guard.ready(), undefined);
  assert.deepEqual(asked, [1_000, 1_001, 1_002, 1_003], 'it is looked into all the same');
  guard.heard('third', 1_004);
  assert.ok(guard.ready() instanceof Promise, 'others are waited for');
  answers.giveOne();
  answers.giveOne();
  await guard.ready();
  clock.ms += 60_000;
  guard.heard('liar', 1_005);
  assert.ok(guard.ready() instanceof Promise);
});

test('who shows what it says is waited for again', async (t) => {
  const { guard, answers } = setUp(t, { here: feed(3), there: feed(5) });
  guard.heard('peer', 9);
  await guard.ready();
  answers.isHeldBack = true;
  guard.heard('peer', 10);
  assert.equal(guard.ready(), undefined, 'it is not trusted');
  answers.giveOne();
  answers.isHeldBack = false;
  await guard.inquire('nobody');
  guard.heard('peer', 2);
  await guard.inquire('nobody');
  answers.isHeldBack = true;
  guard.heard('peer', 5);
  const waits = guard.ready();
  assert.ok(waits instanceof Promise);
  answers.giveOne();
  await assert.rejects(waits, { code: 'held' });
});

test('a message that this machine has not signed is not believed', async (t) => {
  const forged = (keys: Identity) =>
    feedOf(keys, 5).map(({ value, ...rest }) => ({
      ...rest,
      value: { ...value, content: { type: 'log', text: 'x' } },
    }));
  const { guard } = setUp(t, { here: feed(3), there: forged });
  guard.heard('liar', 5);
  guard.heard('liar', 2);
  assert.equal(await settled(guard), 'free');
});

test('another message of the same number is a fork, for good', async (t) => {
  const { guard, notices } = setUp(t, { here: feed(3), there: feed(3, 'another branch') });
  guard.heard('peer', 3);
  guard.heard('peer', 2);
  assert.equal(await settled(guard), 'forked');
  t.mock.timers.tick(PATIENCE_MS);
  assert.equal(guard.hold?.reason, 'forked');
  assert.equal(notices.length, 1, 'it is said once');
});

test('a message that was written elsewhere while this process runs comes from a clone', async (t) => {
  const there = (keys: Identity) =>
    grown(feedOf(keys, 3), { keys, length: 4, text: 'by the copy', timestamp: START_MS + 1 });
  const { guard, events } = setUp(t, { here: feed(3), there });
  await guard.inquire('peer');
  assert.equal(await settled(guard), 'cloned');
  assert.deepEqual(events, ['cloned']);
});

test('a peer that holds as many messages of another branch is found by asking', async (t) => {
  const { guard } = setUp(t, { here: feed(3), there: feed(3, 'written by a copy') });
  await guard.inquire('peer');
  assert.equal(await settled(guard), 'forked');
});

for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
  test(`a peer that stopped at message ${length} of another branch is found by asking`, async (t) => {
    const there = (keys: Identity) => branching(keys, length - 1).slice(0, length);
    const { guard } = setUp(t, { here: feed(9), there });
    for (let inquiry = 0; inquiry < 4; inquiry += 1) await guard.inquire('peer');
    assert.equal(await settled(guard), 'forked');
  });
}

test('what a peer was found to hold is not asked for again', async (t) => {
  const { guard, asked } = setUp(t, { here: feed(1_000), there: feed(990) });
  await guard.inquire('peer');
  assert.deepEqual([asked.at(0), asked.at(-1)], [1_000, 1_001]);
  assert.ok(asked.length <= 12, `${asked.length} questions to find the last that it has`);
  asked.length = 0;
  await guard.inquire('peer');
  assert.ok(asked.length <= 6 && Math.min(...asked) > 990, `asked for ${asked}`);
  assert.equal(await settled(guard), 'free');
});

test('a peer that holds all of it is asked for what comes after only', async (t) => {
  const { guard, asked } = setUp(t, { here: feed(3), there: feed(3) });
  await guard.inquire('peer');
  asked.length = 0;
  await guard.inquire('peer');
  assert.deepEqual(asked, [4]);
});

test('a copy waits until somebody has told, and a moment for others who hold more', async (t) => {
  const hold = { reason: 'copied', sinceMs: 1, atLeast: 3 } as const;
  const { guard, notices } = setUp(t, { here: feed(3), there: feed(3), state: { hold } });
  assert.equal(await settled(guard), 'copied');
  t.mock.timers.tick(PATIENCE_MS);
  assert.equal(guard.hold?.reason, 'copied', 'it waits for as long as it takes');
  guard.heard('peer', 3);
  await guard.inquire('nobody');
  t.mock.timers.tick(SETTLE_MS - 1);
  assert.equal(guard.hold?.reason, 'copied');
  guard.heard('peer', 3); // it came back and says the same
  await guard.inquire('nobody');
  t.mock.timers.tick(1);
  assert.equal(guard.hold, undefined);
  assert.match(notices.at(-1) ?? '', /writes its feed again, after message 3/);
});

test('a copy that a peer sees beside the other machine does not begin to write', async (t) => {
  const hold = { reason: 'copied', sinceMs: 1, atLeast: 3 } as const;
  const { guard, events } = setUp(t, { here: feed(3), there: feed(3), state: { hold } });
  guard.heard('peer', 3);
  await guard.inquire('witness');
  t.mock.timers.tick(SETTLE_MS);
  assert.equal(guard.hold?.reason, 'cloned');
  assert.deepEqual(events, ['cloned']);
});

test('the machine that writes goes on when a copy of it comes', async (t) => {
  const { guard } = setUp(t, { here: feed(3), there: feed(3) });
  await guard.inquire('witness');
  assert.equal(await settled(guard), 'free');
});

test('after a crash a machine that meets nobody goes on', async (t) => {
  const hold = { reason: 'crash', sinceMs: 1, atLeast: 3 } as const;
  const { guard } = setUp(t, { here: feed(3), state: { hold } });
  t.mock.timers.tick(PATIENCE_MS - 1);
  assert.equal(await settled(guard), 'crash');
  t.mock.timers.tick(1);
  assert.equal(await settled(guard), 'free');
});

const keys = newIdentity();
const trunk = feedOf(keys, 3);
const branch = feedOf(keys, 4, 'branch');
const at = async (sequence: number) => trunk[sequence - 1];

for (const { what, value, expected } of [
  { what: 'a message that is here', value: trunk[1], expected: false },
  { what: 'another message of a number that is here', value: branch[1], expected: true },
  { what: 'a next message that follows another one', value: branch[3], expected: true },
  { what: 'a next message that follows what is here', value: feedOf(keys, 4)[3], expected: false },
  { what: 'a message far ahead', value: feedOf(keys, 9, 'x')[8], expected: false },
]) {
  test(`${what} is ${expected ? 'a' : 'no'} fork`, async () => {
    assert.equal(await isFork(value?.value as SignedValue, at), expected);
  });
}

test('what its author has not signed proves nothing', async () => {
  const value = { ...(branch[1]?.value as SignedValue), content: { type: 'log', text: 'forged' } };
  assert.equal(await isFork(value, at), false);
  assert.equal(await isFork({ author: keys.id, sequence: 2 } as unknown as SignedValue, at), false);
});
