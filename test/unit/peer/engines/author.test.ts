/** This machine's messages: whoever signs them, they are the same, and valid to SSB. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { SignedMessage, SignedValue } from '../../../../src/message/signed.ts';
import { Author } from '../../../../src/peer/engines/sqlite/author.ts';
import { SignatureThread } from '../../../../src/peer/engines/sqlite/signature-thread.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { newKeys } from './fixture.ts';
import { BROKEN, SILENT, scriptThat, startedThread } from './thread.ts';

const ssbValidate = createRequire(import.meta.url)('ssb-validate') as {
  initial(): object;
  append(state: object, hmacKey: null, message: unknown): { queue: SignedMessage[] };
};

const keys = newKeys();
const line = (text: string) => ({ type: 'log', text });
const HOSTILE = [
  'backup complete',
  'ünïcödé ✓ 🎉',
  'half of a pair: \ud800, the other \udc00',
  'controls \0\u0007\u001b\u007f\u2028\u2029',
  '"previous": "%AAAA", "signature": "" \\" \n}\r\n',
  '',
];

/** Texts that are awkward as bytes, and contents of other shapes. */
function contents(count: number): object[] {
  const others = [
    { type: 'about', about: keys.id, name: 'nas' },
    { type: 'other', nested: { a: [1, null, {}, []] } },
  ];
  return Array.from({ length: count }, (_, index) =>
    index % 10 === 9 ? (others[(index / 10) & 1] as object) : line(`${HOSTILE[index % HOSTILE.length]} ${index}`),
  );
}

/** Its clocks count calls, so two of them make the same messages. */
function author(thread: SignatureThread, hmacKey?: Buffer): Author {
  let [made, came] = [1000, 5000];
  return new Author({ keys, hmacKey, thread, ownTime: () => ++made, receiptTime: () => ++came });
}

const none = new SignatureThread({ cores: 1 });
const first = author(none).make(undefined, line('first'));
const head = { key: first.key, sequence: 1 };

function all(made: ReturnType<Author['makeAll']>, count: number): SignedMessage[] {
  return Array.from({ length: count }, (_, index) => made.at(index));
}

function expected(count: number): SignedMessage[] {
  const made = author(none).makeAll(head, contents(count), assert.fail);
  assert.equal(made.isSigned, true);
  return all(made, count);
}

test('messages that a thread signs are those that are signed here, and SSB takes them', async (t) => {
  const thread = await startedThread(t);
  const made = author(thread).makeAll(head, contents(200), () => undefined);
  assert.equal(made.isSigned, false);
  const messages = all(made, 200);
  assert.equal(thread.signed, 1);
  assert.equal(made.isSigned, true);
  assert.deepEqual(messages, expected(200));
  assert.deepEqual(
    messages.map(({ value }) => Object.keys(value)),
    expected(200).map(({ value }) => Object.keys(value)),
  );
  const state = ssbValidate.initial();
  for (const { value } of [first, ...messages]) ssbValidate.append(state, null, value);
  const { queue } = state as { queue: SignedMessage[] };
  assert.deepEqual(
    queue.map(({ key }) => key),
    [first, ...messages].map(({ key }) => key),
  );
});

test('what comes next goes on where the thread will have ended, without waiting for it', async (t) => {
  const thread = await startedThread(t);
  const here = author(thread);
  const parts = [contents(100).slice(0, 40), contents(100).slice(40, 80), contents(100).slice(80)];
  let signed = 0;
  const chains = [];
  let last: Parameters<Author['makeAll']>[0] = head;
  for (const part of parts) {
    const chain = here.makeAll(last, part, () => {
      signed += 1;
    });
    chains.push(chain);
    last = chain.head;
  }
  // The last part is too small to be shared: it has waited.
  assert.deepEqual(
    chains.map(({ isSigned }) => isSigned),
    [true, true, true],
  );
  const messages = chains.flatMap((chain, index) => all(chain, (parts[index] as object[]).length));
  assert.deepEqual(messages, expected(100));
  assert.equal(last.key, messages.at(-1)?.key);
  assert.equal(last.sequence, 101);
  assert.equal(thread.signed, 2);
  await waitFor('both to be told of', () => signed === 2);
});

for (const [what, options] of [
  ['the end of what a thread signs is told of, when nobody waits for it', {}],
  ['when a thread ends, it is told that there is nothing to wait for', { script: scriptThat('process.exit(3)') }],
] as const) {
  test(what, async (t) => {
    const thread = await startedThread(t, options);
    let isTold = false;
    const chain = author(thread).makeAll(head, contents(64), () => {
      isTold = true;
    });
    await waitFor('its end', () => isTold);
    assert.equal(chain.isSigned, true);
    assert.deepEqual(all(chain, 64), expected(64));
  });
}

for (const [what, script] of [
  ['is silent', SILENT],
  ['says at once that it is ready', scriptThat('parentPort.postMessage(new Uint8Array())')],
  ['throws', BROKEN],
] as const) {
  test(`where a thread ${what}, messages are signed here`, async (t) => {
    const thread = await startedThread(t, { script, silenceMs: 50 });
    const losses: Error[] = [];
    thread.onLoss((error) => losses.push(error));
    const here = author(thread);
    const one = here.makeAll(head, contents(100).slice(0, 50), () => undefined);
    const two = here.makeAll(one.head, contents(100).slice(50), () => undefined);
    assert.equal(thread.signed, 2);
    assert.deepEqual([...all(one, 50), ...all(two, 50)], expected(100));
    assert.match(String(losses), /it does not answer/);
    assert.equal(thread.isReady, false);
    assert.deepEqual(all(author(thread).makeAll(head, contents(50), assert.fail), 50), expected(50));
  });
}

test('a thread that signs something else is not believed', async (t) => {
  const forge =
    'const count = new Int32Array(job.answers, 0, 1); Atomics.store(count, 0, 1000); Atomics.notify(count, 0);';
  const thread = await startedThread(t, { script: scriptThat(forge) });
  const losses: Error[] = [];
  thread.onLoss((error) => losses.push(error));
  const chain = author(thread).makeAll(head, contents(64), () => undefined);
  assert.deepEqual(all(chain, 64), expected(64));
  assert.match(String(losses), /it signed something else/);
  assert.equal(thread.isReady, false);
});

test('where that is found out by what comes next, it is signed here', async (t) => {
  const forge =
    'const count = new Int32Array(job.answers, 0, 1); Atomics.store(count, 0, 1000); Atomics.notify(count, 0);';
  const thread = await startedThread(t, { script: scriptThat(forge) });
  const here = author(thread);
  const one = here.makeAll(head, contents(100).slice(0, 50), () => undefined);
  await waitFor('the thread', () => one.isSigned);
  const two = here.makeAll(one.head, contents(100).slice(50), assert.fail);
  assert.equal(thread.isReady, false);
  assert.deepEqual([...all(one, 50), ...all(two, 50)], expected(100));
});

test('a thread that is another one than before begins with what is known', async (t) => {
  const thread = await startedThread(t);
  const here = author(thread);
  const one = here.makeAll(head, contents(100).slice(0, 50), () => undefined);
  const messages = all(one, 50);
  thread.close();
  thread.start();
  await waitFor('the thread', () => thread.isReady, { everyMs: 1 });
  thread.onLoss(assert.fail);
  const two = here.makeAll(one.head, contents(100).slice(50), () => undefined);
  assert.deepEqual([...messages, ...all(two, 50)], expected(100));
  assert.equal(thread.signed, 2);
});

test('a thread that ends in the middle leaves the rest to be signed here', async (t) => {
  const thread = await startedThread(t);
  const chain = author(thread).makeAll(head, contents(200), () => undefined);
  const some = chain.at(3);
  thread.close();
  const messages = all(chain, 200);
  assert.equal(messages[3], some);
  assert.deepEqual(messages, expected(200));
});

test('all or none: nothing is signed when one of them cannot be a message', async (t) => {
  const thread = await startedThread(t);
  for (const [bad, error] of [
    [line('x'.repeat(8200)), /must not be larger than 8192 bytes/],
    [{ type: 'x' }, /type must be a string/],
    [{ ...line('private'), recps: [keys.id] }, /no boxers could encrypt/],
    [42, /must be object or encrypted string/],
  ] as const) {
    assert.throws(() => author(thread).makeAll(head, [...contents(39), bad], assert.fail), error);
  }
  assert.equal(thread.signed, 0);
});

test('the largest message is the same for both', async (t) => {
  const thread = await startedThread(t);
  const sizeWith = (units: number, by: SignatureThread) => {
    const made = author(by).makeAll(head, [...contents(40), line('x'.repeat(units))], () => undefined);
    return JSON.stringify(made.at(40).value, null, 2).length;
  };
  const units = 8192 - sizeWith(0, none);
  assert.equal(sizeWith(units, none), 8192);
  assert.equal(sizeWith(units, thread), 8192);
  for (const by of [none, thread]) assert.throws(() => sizeWith(units + 1, by), /8192 bytes. Current size is 8193/);
});

test('few messages, a first one, and those of a network with a key of its own are signed here', async (t) => {
  const thread = await startedThread(t);
  const HMAC_KEY = Buffer.alloc(32, 7);
  const values = (chain: ReturnType<Author['makeAll']>, count: number): SignedValue[] =>
    all(chain, count).map(({ value }) => value);
  assert.equal(values(author(thread).makeAll(head, contents(31), assert.fail), 31).length, 31);
  assert.equal(values(author(thread).makeAll(undefined, contents(64), assert.fail), 64)[0]?.previous, null);
  assert.equal(values(author(thread, HMAC_KEY).makeAll(head, contents(64), assert.fail), 64).length, 64);
  assert.equal(thread.signed, 0);
});
