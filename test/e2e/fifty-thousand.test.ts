/** Two machines and a stock peer, 50,000 messages, kills and restarts in between: the same ids everywhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { befriend, Machine, randomNetworkKey } from '../helpers/machine.ts';
import { sandbox } from '../helpers/sandbox.ts';
import { StockDaemon, stockAnswer, stockMessages } from '../helpers/stock.ts';
import { waitFor } from '../helpers/wait-for.ts';

const ROUNDS = 4;
const LINES_OF_OURS = 5_000;
/** The stock server publishes one after the other, and it has to take in all others' as well. */
const MESSAGES_OF_STOCK = 2_500;
const TOTAL = ROUNDS * (2 * LINES_OF_OURS + MESSAGES_OF_STOCK);
const DEADLINE_MS = 300_000;

function lines(round: number): string {
  return Array.from({ length: LINES_OF_OURS }, (_, index) => `round ${round}, line ${index}\n`).join('');
}

async function publishOn(stock: StockDaemon, round: number): Promise<void> {
  interface Rpc {
    publish(content: object, callback: (error: Error | null) => void): void;
  }
  const rpc = await stock.connect<Rpc>({ publish: 'async' });
  const all = Array.from({ length: MESSAGES_OF_STOCK }, (_, index) => {
    const content = { type: 'log', source: 'stock', text: `round ${round}, message ${index}` };
    return new Promise<void>((resolve, reject) => {
      rpc.publish(content, (error) => (error ? reject(error) : resolve()));
    });
  });
  await Promise.all(all);
  await new Promise<void>((resolve) => {
    rpc.close(true, resolve);
  });
}

/** `author sequence id` of every message that a machine holds. */
function idsOf(machine: Machine): string[] {
  const db = new DatabaseSync(machine.path('store.db'), { readOnly: true });
  try {
    const rows = db.prepare(
      'SELECT feeds.feed AS author, messages.sequence, key FROM messages JOIN feeds ON feeds.id = messages.feed',
    );
    return rows
      .all()
      .map((row) => `${row.author} ${row.sequence} ${row.key}`)
      .sort();
  } finally {
    db.close();
  }
}

test('50,000 messages of two machines and a stock peer, over kills and restarts of each', async (t) => {
  const box = sandbox(t);
  const stock = await StockDaemon.make(box, randomNetworkKey());
  const laptop = await Machine.make(box, 'laptop', stock.networkKey, 'sqlite');
  const nas = await Machine.make(box, 'nas', stock.networkKey, 'sqlite');
  await Promise.all([stock.start(), laptop.start(), nas.start()]);
  // In a line: what the stock peer writes reaches the nas through the laptop, and the other way round.
  await befriend(laptop, nas);
  await laptop.must('follow', stock.id);
  await laptop.must('connect', stock.address);
  await stockAnswer(stock, 'publish', '--type', 'contact', '--contact', laptop.id, '--following');

  const interruptions = [
    async () => {
      await laptop.kill9();
      await laptop.start();
    },
    async () => {
      await nas.stop();
      await nas.start();
    },
    async () => {
      await stock.kill9();
      await stock.start();
    },
    async () => {
      await nas.kill9();
      await laptop.stop();
      await Promise.all([nas.start(), laptop.start()]);
    },
  ];
  for (const [round, interrupt] of interruptions.entries()) {
    await Promise.all([
      laptop.pipe(lines(round), '--no-blocks'),
      nas.pipe(lines(round), '--no-blocks'),
      publishOn(stock, round),
    ]);
    await interrupt(); // while much of it is still on its way
  }
  assert.equal(interruptions.length, ROUNDS);

  let seen: number[] = [];
  const rpc = await stock.connect<{
    getVectorClock(callback: (error: Error | null, clock: Record<string, number>) => void): void;
  }>({ getVectorClock: 'async' });
  const onStock = () =>
    new Promise<number>((resolve, reject) => {
      rpc.getVectorClock((error, clock) => {
        if (error) reject(error);
        else resolve(Object.values(clock).reduce((sum, sequence) => sum + sequence, 0));
      });
    });
  await waitFor(
    'all messages to be everywhere',
    async () => {
      seen = [idsOf(laptop).length, idsOf(nas).length, await onStock()];
      return seen[0] === seen[1] && seen[1] === seen[2] && Number(seen[2]) > TOTAL;
    },
    { everyMs: 1_000, deadlineMs: DEADLINE_MS, detail: () => `there were ${seen}\n${laptop.said}\n${nas.said}` },
  );
  rpc.close(true, () => undefined);

  const [expected, others] = [idsOf(laptop), await stockMessages(stock)];
  assert.deepEqual(idsOf(nas), expected);
  assert.deepEqual(others.map(({ key, value }) => `${value.author} ${value.sequence} ${key}`).sort(), expected);
});
