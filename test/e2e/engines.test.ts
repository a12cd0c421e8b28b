/** Machines of both engines and a stock ssb-server are one network: the same messages, with the same ids, everywhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { befriend, Machine, randomNetworkKey } from '../helpers/machine.ts';
import { sandbox } from '../helpers/sandbox.ts';
import { type Reachable, StockDaemon, stockAnswer, stockMessages } from '../helpers/stock.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Generous for the stock scheduler, which takes its time between attempts. */
const STOCK_DEADLINE_MS = 120_000;

/** Ids of all messages that carry lines, by feed and sequence. */
async function ids(peer: Reachable): Promise<string[]> {
  const messages = await stockMessages(peer);
  return messages
    .filter(({ value }) => value.content.type.startsWith('log'))
    .map(({ key, value }) => `${value.author} ${value.sequence} ${key}`)
    .sort();
}

async function waitForSameIds(count: number, ...peers: readonly Reachable[]): Promise<void> {
  let seen: string[][] = [];
  await waitFor(
    `${count} messages with the same ids on ${peers.length} peers`,
    async () => {
      seen = [];
      for (const peer of peers) seen.push(await ids(peer));
      return seen.every((list) => list.length === count);
    },
    { everyMs: 500, deadlineMs: STOCK_DEADLINE_MS, detail: () => `there were ${seen.map((list) => list.length)}` },
  );
  for (const list of seen) assert.deepEqual(list, seen[0]);
}

test('a machine of each engine and a stock daemon replicate everything, over restarts and kills', async (t) => {
  const box = sandbox(t);
  const stock = await StockDaemon.make(box, randomNetworkKey());
  const record = await Machine.make(box, 'record', stock.networkKey, 'sqlite');
  const flume = await Machine.make(box, 'flume', stock.networkKey, 'ssb-server');
  await Promise.all([stock.start(), record.start(), flume.start()]);
  // In a line: what the stock daemon writes reaches the other end through the machine in the middle.
  await befriend(record, flume);
  await record.must('follow', stock.id);
  await record.must('connect', stock.address);
  await stockAnswer(stock, 'publish', '--type', 'contact', '--contact', record.id, '--following');

  const lines = Array.from({ length: 50 }, (_, index) => `line ${index}\n`).join('');
  await record.pipe(lines, '--no-blocks');
  await flume.pipe(lines, '--no-blocks');
  await stockAnswer(stock, 'publish', '--type', 'log', '--source', 'stock', '--text', 'first');
  await waitForSameIds(101, record, flume, stock);

  await record.kill9();
  await flume.pipe('while the other was dead\n', '--no-blocks');
  await stockAnswer(stock, 'publish', '--type', 'log', '--source', 'stock', '--text', 'second');
  await record.start();
  const { daemon } = flume;
  assert.equal(await flume.stop(), 0, daemon.result.stderr);
  await record.pipe('while flume was off\n', '--no-blocks');
  await flume.start();
  await waitForSameIds(104, record, flume, stock);
});
