/** The thread that verifies: its verdicts are libsodium's, and whoever waits for it hears when it cannot answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sodium from 'chloride';
import { isValid, type SignatureJob } from '../../../../src/peer/engines/sqlite/signature-job.ts';
import { SignatureThread } from '../../../../src/peer/engines/sqlite/signature-thread.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { newKeys } from './fixture.ts';
import { BROKEN, SILENT, scriptThat, startedThread } from './thread.ts';

const bytesOf = (text: string) => Buffer.from(text.slice(0, text.indexOf('.')), 'base64');
const keys = newKeys();
const secretKey = bytesOf(keys.private);
const publicKey = bytesOf(keys.public);

function signed(text: string): SignatureJob {
  const bytes = Buffer.from(text);
  return { signature: sodium.crypto_sign_detached(bytes, secretKey), publicKey, signed: bytes };
}

function altered(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** The order of the curve's group: adding it to a signature's second half changes nothing but its bytes. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function withOrderAdded(signature: Buffer): Buffer {
  const copy = Buffer.from(signature);
  let rest = BigInt(`0x${Buffer.from(copy.subarray(32)).reverse().toString('hex')}`) + ORDER;
  for (let at = 32; at < 64; at += 1) {
    copy[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  return copy;
}

/** The neutral element, and another point of a small order: a signature by them fits any message. */
const NEUTRAL = Buffer.from(`01${'00'.repeat(31)}`, 'hex');
const ORDER_8 = Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex');
const ZERO = Buffer.alloc(32);
const one = signed('one');
const long = signed('é✓'.repeat(4000));

const CASES: readonly [what: string, job: SignatureJob, isGood: boolean][] = [
  ['a good one', one, true],
  ['one of much', long, true],
  ['one of nothing', signed(''), true],
  ['of other bytes', { ...one, signed: Buffer.from('two') }, false],
  ['with another beginning', { ...one, signature: altered(one.signature, 0) }, false],
  ['with another end', { ...one, signature: altered(one.signature, 63) }, false],
  ['by another key', { ...one, publicKey: bytesOf(newKeys().public) }, false],
  ['whose number is not the smallest', { ...one, signature: withOrderAdded(one.signature) }, false],
  ['by the neutral element', { ...one, publicKey: NEUTRAL, signature: Buffer.concat([NEUTRAL, ZERO]) }, false],
  ['by a point of a small order', { ...one, publicKey: ORDER_8, signature: Buffer.concat([NEUTRAL, ZERO]) }, false],
  ['with a point of a small order', { ...one, signature: Buffer.concat([ORDER_8, one.signature.subarray(32)]) }, false],
  ['by a key that is no point', { ...one, publicKey: Buffer.alloc(32, 0xff) }, false],
];

function check(thread: SignatureThread, jobs: readonly SignatureJob[]): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    thread.check(jobs, resolve);
  });
}

test('the thread says of each signature what libsodium says', async (t) => {
  const thread = await startedThread(t);
  const verdicts = await check(
    thread,
    CASES.map(([, job]) => job),
  );
  CASES.forEach(([what, job, isGood], index) => {
    assert.equal(isValid(job), isGood, `${what}, here`);
    assert.equal(verdicts?.[index], isGood ? 1 : 0, `${what}, there`);
  });
});

test('a computer with one core has no second thread', () => {
  const thread = new SignatureThread({ cores: 1, script: new URL('missing.js', import.meta.url) });
  thread.onLoss(assert.fail);
  thread.start();
  assert.equal(thread.isReady, false);
});

test('batches are answered in their order', async (t) => {
  const thread = await startedThread(t);
  const bad = { ...one, signed: Buffer.from('two') };
  const answers = await Promise.all([check(thread, [one, bad]), check(thread, [bad]), check(thread, [one])]);
  assert.deepEqual(answers, [Uint8Array.of(1, 0), Uint8Array.of(0), Uint8Array.of(1)]);
});

test('without work it ends, and starts again', async (t) => {
  const thread = await startedThread(t, { idleMs: 200 });
  await waitFor('its end', () => !thread.isReady);
  thread.start();
  await waitFor('the thread', () => thread.isReady, { everyMs: 1 });
});

for (const [what, script, reason] of [
  ['that throws', BROKEN, /broken/],
  ['that ends', scriptThat('process.exit(3)'), /it ended with 3/],
] as const) {
  test(`a thread ${what} is told of once, leaves nobody waiting, and is not tried again`, async (t) => {
    const thread = await startedThread(t, { script });
    const losses: Error[] = [];
    thread.onLoss((error) => losses.push(error));
    const answers = await Promise.all([check(thread, [one]), check(thread, [one])]);
    assert.deepEqual(answers, [undefined, undefined]);
    assert.match(String(losses), reason);
    thread.start();
    assert.equal(losses.length, 1);
    assert.equal(thread.isReady, false);
  });
}

test('a thread that is silent is given up, and told of', async (t) => {
  const thread = await startedThread(t, { script: SILENT, silenceMs: 20 });
  const losses: Error[] = [];
  thread.onLoss((error) => losses.push(error));
  assert.equal(await check(thread, [one]), undefined);
  assert.match(String(losses), /it does not answer/);
  assert.equal(thread.isReady, false);
});

test('a thread that answers late, but before the turn in which it would be given up is over, is kept', async (t) => {
  const thread = await startedThread(t, { silenceMs: 20 });
  thread.onLoss(assert.fail);
  const answer = check(thread, [one]);
  const until = performance.now() + 500;
  while (performance.now() < until); // busy: the answer waits, and so does the timer
  assert.deepEqual(await answer, Uint8Array.of(1));
  assert.equal(thread.isReady, true);
});

test('whoever gives a thread up while it is answered finds it not ready', async (t) => {
  const thread = await startedThread(t);
  await new Promise<void>((resolve) => {
    thread.check([one], () => {
      thread.close();
      resolve();
    });
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(thread.isReady, false);
});

test('nobody is answered in the midst of what ends a thread', async (t) => {
  const thread = await startedThread(t, { script: SILENT });
  let isAnswered = false;
  thread.check([one], (verdicts) => {
    assert.equal(verdicts, undefined);
    isAnswered = true;
  });
  thread.close();
  assert.equal(isAnswered, false);
  await waitFor('the answer', () => isAnswered);
});

test('a thread that cannot be loaded is told of', async (t) => {
  const thread = new SignatureThread({ cores: 2, script: new URL('missing.js', import.meta.url) });
  t.after(() => thread.close());
  const loss = new Promise<Error>((resolve) => {
    thread.onLoss(resolve);
  });
  thread.start();
  const alive = setInterval(() => undefined, 1000); // a thread without work does not keep its process
  t.after(() => clearInterval(alive));
  assert.match((await loss).message, /missing\.js/);
});

test('an answer that does not fit is none', async (t) => {
  const thread = await startedThread(t, { script: scriptThat('parentPort.postMessage(Uint8Array.of(1))') });
  assert.equal(await check(thread, [one, one]), undefined);
});
