/** Between real instances of epidemic-broadcast-trees, that speak with each other in memory. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { pauseFeeds } from '../../../src/peer/ebt-pause.ts';
import type { EbtInstance, EbtOptions } from '../../../src/peer/ssb/ebt-types.ts';

const require = createRequire(import.meta.url);
const createEbt = require('epidemic-broadcast-trees') as (options: EbtOptions & object) => EbtInstance;

interface Message {
  readonly author: string;
  readonly sequence: number;
  readonly content: object;
}

const FEED = '@feed';

class Side {
  readonly id: string;
  readonly messages: Message[] = [];
  readonly ebt: EbtInstance & { onAppend(message: Message): void };
  readonly #pausesChanged: () => void;
  isPaused = false;
  /** What came to this side: messages, and notes. */
  readonly came = { messages: 0, notes: 0 };

  constructor(id: string, messages: number) {
    this.id = id;
    for (let count = 0; count < messages; count += 1) this.#make();
    this.ebt = createEbt({
      id,
      getClock: (_peer, callback) => setImmediate(callback, null, {}),
      setClock: () => undefined,
      append: (value, callback) => {
        if (this.isPaused) return;
        this.messages.push(value as Message);
        setImmediate(callback, null, value);
      },
      getAt: ({ sequence }, callback) => setImmediate(callback, null, this.messages[sequence - 1]),
    }) as Side['ebt'];
    const isAnyPaused = () => this.isPaused;
    this.#pausesChanged = pauseFeeds(this.ebt, {
      isPaused: (feed) => this.isPaused && feed === FEED,
      get isAnyPaused() {
        return isAnyPaused();
      },
    });
    Object.assign(this.ebt.state, { clock: messages > 0 ? { [FEED]: messages } : {} });
    this.ebt.request(FEED, true);
  }

  append(): void {
    this.ebt.onAppend(this.#make());
  }

  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.#pausesChanged();
  }

  /** How far it knows the feed to go. */
  known(of: Side): number {
    return this.ebt.state.peers[of.id]?.clock?.[FEED] ?? 0;
  }

  #make(): Message {
    const message = { author: FEED, sequence: this.messages.length + 1, content: {} };
    this.messages.push(message);
    return message;
  }
}

interface PushStream {
  pipe(sink: object): unknown;
  write(data: unknown): void;
  resume(): void;
}

function connect(one: Side, other: Side): void {
  const ends = [
    [one, one.ebt.createStream(other.id, 3, true) as unknown as PushStream],
    [other, other.ebt.createStream(one.id, 3, false) as unknown as PushStream],
  ] as const;
  ends.forEach(([, stream], index) => {
    const [receiver, sink] = ends[1 - index] as (typeof ends)[number];
    stream.pipe({
      paused: false,
      end: () => undefined,
      write: (data: Partial<Message>) => {
        receiver.came[data.sequence === undefined ? 'notes' : 'messages'] += 1;
        // As over a wire: nobody changes the other's objects.
        setImmediate(() => sink.write(structuredClone(data)));
      },
    });
  });
}

/** Until nothing has come to anybody for a while. */
async function settled(...sides: Side[]): Promise<void> {
  const count = () => JSON.stringify(sides.map(({ came, messages }) => [came, messages.length]));
  for (let before = ''; before !== count(); ) {
    before = count();
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
  }
}

test('what is paused in the middle is not sent any more, and goes on from there', async () => {
  const [laptop, nas] = [new Side('@laptop', 0), new Side('@nas', 0)];
  connect(nas, laptop);
  await settled(laptop, nas);
  for (let count = 0; count < 10; count += 1) laptop.append();
  await settled(laptop, nas);
  assert.equal(nas.messages.length, 10);
  nas.pause(true);
  await settled(laptop, nas);
  const before = nas.came.messages;
  for (let count = 0; count < 50; count += 1) laptop.append();
  await settled(laptop, nas);
  assert.equal(nas.came.messages, before, 'nothing is sent that would be dropped');
  assert.equal(nas.known(laptop), 60, 'it knows how much there is');
  const notes = nas.came.notes + laptop.came.notes;
  assert.ok(notes < 100, `they do not go on telling each other the same: ${notes} notes`);
  nas.pause(false);
  await settled(laptop, nas);
  assert.deepEqual(nas.messages, laptop.messages);
  laptop.append();
  await settled(laptop, nas);
  assert.equal(nas.messages.length, 61);
});

test('who comes while it is paused sends nothing, and is asked when it is over', async () => {
  const [laptop, nas] = [new Side('@laptop', 40), new Side('@nas', 5)];
  nas.pause(true);
  connect(nas, laptop);
  await settled(laptop, nas);
  assert.deepEqual([nas.messages.length, nas.came.messages, nas.known(laptop)], [5, 0, 40]);
  nas.pause(false);
  await settled(laptop, nas);
  assert.deepEqual(nas.messages, laptop.messages);
});

test('what was on its way is dropped and comes again', async () => {
  const [laptop, nas] = [new Side('@laptop', 200), new Side('@nas', 0)];
  connect(laptop, nas);
  while (nas.messages.length < 20) await new Promise(setImmediate);
  nas.pause(true);
  const atPause = nas.messages.length;
  await settled(laptop, nas);
  assert.equal(nas.messages.length, atPause);
  assert.ok(nas.came.messages < 200, `${nas.came.messages}`);
  nas.pause(false);
  await settled(laptop, nas);
  assert.deepEqual(nas.messages, laptop.messages);
});

test('of two that have the feed one is asked when it goes on; both are still given what they lack', async () => {
  const [laptop, relay, nas] = [new Side('@laptop', 30), new Side('@relay', 20), new Side('@nas', 10)];
  const late = new Side('@late', 0);
  nas.pause(true);
  connect(nas, laptop);
  connect(nas, relay);
  connect(nas, late);
  await settled(laptop, relay, nas, late);
  assert.equal(late.messages.length, 10, 'it gives what it has while it takes nothing');
  nas.pause(false);
  await settled(laptop, relay, nas, late);
  assert.equal(nas.came.messages, 20);
  for (const side of [relay, nas, late]) assert.deepEqual(side.messages, laptop.messages, side.id);
});
