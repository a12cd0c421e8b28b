import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { paceEbt } from '../../../src/peer/pace.ts';
import type { EbtInstance, EbtOptions } from '../../../src/peer/ssb/ebt-types.ts';

const require = createRequire(import.meta.url);
const createEbt = require('epidemic-broadcast-trees') as (options: EbtOptions & object) => EbtInstance;
const { note } = require('epidemic-broadcast-trees/v3') as { note(sequence: number, isWanted: boolean): number };

interface Message {
  readonly author: string;
  readonly sequence: number;
  readonly content: object;
}

/** What EBT wants of the other end of a connection. */
interface Sink {
  paused: boolean;
  source?: unknown;
  write(data: unknown): void;
  end(): void;
}

const ME = '@me';
const PEER = '@peer';

/** One side that has a feed, connected with a peer that wants it all and may stop reading. */
function sender(messages: number) {
  const feed: Message[] = [];
  const add = () => {
    feed.push({ author: ME, sequence: feed.length + 1, content: {} });
    return feed.at(-1) as Message;
  };
  for (let count = 0; count < messages; count += 1) add();
  const listeners: ((id: string) => void)[] = [];
  let isFull = false;
  let reads = 0;
  const ebt = createEbt({
    id: ME,
    getClock: (_peer, callback) => callback(null, {}),
    setClock: () => undefined,
    append: () => assert.fail('the peer has nothing'),
    getAt: ({ sequence }, callback) => {
      reads += 1;
      setImmediate(callback, null, feed[sequence - 1]);
    },
  }) as EbtInstance & { onAppend(message: Message): void };
  paceEbt(ebt, { isFull: () => isFull, onDrained: (listener) => void listeners.push(listener) });
  Object.assign(ebt.state, { clock: { [ME]: feed.length } });
  ebt.request(ME, true);
  const stream = ebt.createStream(PEER, 3, false) as ReturnType<EbtInstance['createStream']> & {
    pipe(sink: Sink): unknown;
  };
  const sent: number[] = [];
  const onSent = { count: 0, call: (): void => undefined };
  stream.pipe({
    paused: false,
    end: () => undefined,
    write: (data) => {
      const { sequence } = data as Partial<Message>;
      if (sequence === undefined) return;
      sent.push(sequence);
      if (sent.length === onSent.count) onSent.call();
    },
  });
  return {
    sent,
    get reads() {
      return reads;
    },
    get waiting() {
      return ebt.state.peers[PEER]?.msgs.length ?? 0;
    },
    wantAll: () => stream.write({ [ME]: note(0, true) }),
    append: () => ebt.onAppend(add()),
    stopReading: () => {
      isFull = true;
    },
    goOn: () => {
      isFull = false;
      for (const listener of listeners) listener(PEER);
    },
    whenSent: (count: number) =>
      new Promise<void>((resolve) => {
        if (sent.length >= count) resolve();
        Object.assign(onSent, { count, call: resolve });
      }),
  };
}

/** Until EBT's reads are all done. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

const sequences = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('for a peer that does not read, no messages are read, and it gets all in order when it does', async () => {
  const one = sender(500);
  one.stopReading();
  one.wantAll();
  await idle();
  assert.ok(one.reads <= 1, `${one.reads} were read`);
  one.goOn();
  await one.whenSent(500);
  assert.deepEqual(one.sent, sequences(500));
});

test('of new messages only a few wait for a peer that does not read; it gets the others from the record', async () => {
  const one = sender(1);
  one.wantAll();
  await one.whenSent(1);
  one.stopReading();
  for (let count = 0; count < 5_000; count += 1) one.append();
  assert.ok(one.waiting <= 200, `${one.waiting} wait`);
  one.goOn();
  await one.whenSent(5_001);
  one.append();
  await one.whenSent(5_002);
  assert.deepEqual(one.sent, sequences(5_002));
});

test('a peer that stops again and again gets each message once', async () => {
  const one = sender(1_000);
  one.wantAll();
  for (let round = 0; round < 50; round += 1) {
    one.stopReading();
    for (let count = 0; count < 20; count += 1) one.append();
    await idle();
    one.goOn();
    await new Promise(setImmediate);
  }
  await one.whenSent(2_000);
  assert.deepEqual(one.sent, sequences(2_000));
});
