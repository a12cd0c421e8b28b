/** The stock ssb-server and its client work with a machine, both ways, as old scripts use them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Machine, network, randomNetworkKey, startAll } from '../helpers/machine.ts';
import { seededRandom } from '../helpers/random.ts';
import { sandbox } from '../helpers/sandbox.ts';
import {
  connectAsStranger,
  StockDaemon,
  type StockMessage,
  stockAnswer,
  stockClient,
  stockMessages,
} from '../helpers/stock.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Generous for the stock scheduler, which takes its time between attempts. */
const STOCK_DEADLINE_MS = 120_000;

test('the stock client publishes a line to our daemon, and our log shows it', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const published = await stockAnswer<StockMessage>(
    laptop,
    ...['publish', '--type', 'log', '--source', 'a', '--destination', 'b', '--text', 'hello'],
  );
  assert.equal(published.value.author, laptop.id);
  assert.deepEqual(published.value.content, { type: 'log', source: 'a', destination: 'b', text: 'hello' });
  const { text } = await laptop.waitForLog(1);
  const time = new Date(published.value.timestamp).toISOString().slice(0, 19).replace('T', ' ');
  assert.equal(text, `${time} [a] -> [b] hello\n`);
});

test('the stock client asks our daemon who it is, and reads its log', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  assert.deepEqual(await stockAnswer(laptop, 'whoami'), { id: laptop.id });
  await laptop.pipe('a line\n', '--source', 'a', '--destination', 'b');
  const messages = await stockMessages(laptop);
  const line = messages.find((message) => message.value.content.type === 'log');
  assert.equal(line?.value.author, laptop.id);
  assert.equal(line?.value.content.source, 'a');
  assert.equal(line?.value.content.destination, 'b');
  assert.equal(line?.value.content.text, 'a line');
});

test('the stock client gets an error, and our daemon goes on, when a message is none', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const result = await stockClient(laptop, 'publish', '--type', 'x');
  assert.notEqual(result.code, 0, 'a type of one letter is too short for SSB');
  assert.equal((await laptop.run('whoami')).text.trim(), laptop.id);
});

test('a machine that is followed with the stock client is replicated', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await stockAnswer(nas, 'publish', '--type', 'contact', '--contact', laptop.id, '--following');
  await nas.must('connect', laptop.address);
  await laptop.pipe('followed\n');
  const { text } = await nas.waitForLog(1);
  assert.match(text, /\[laptop\] followed\n$/);
  const machines = await nas.json<{ id: string; followed: boolean }[]>('machines');
  assert.equal(machines.find((machine) => machine.id === laptop.id)?.followed, true);
});

test('a line with a number for a text is shown as it was typed', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  await stockAnswer(laptop, 'publish', '--type', 'log', '--source', 'a', '--text', '42');
  const { text } = await laptop.waitForLog(1);
  assert.match(text, /^\S+ \S+ \[a\] 42\n$/);
});

test('old scripts, which know one line a message, find the lines that trickled in through pipe', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const pipe = laptop.spawn('pipe', '--source', 'script', '--destination', 'nas');
  const lines = ['first', 'second', 'third'];
  for (const [index, line] of lines.entries()) {
    await pipe.write(`${line}\n`);
    // The next line comes only when this one has arrived: that is a trickle.
    await laptop.waitForLog(index + 1);
  }
  pipe.endInput();
  assert.equal((await pipe.done()).code, 0);

  const messages = await stockMessages(laptop);
  const found = messages
    .filter((message) => message.value.content.type === 'log')
    .sort((one, other) => one.value.timestamp - other.value.timestamp)
    .map(({ value: { content } }) => `[${content.source}] -> [${content.destination}] ${content.text}`);
  assert.deepEqual(
    found,
    lines.map((line) => `[script] -> [nas] ${line}`),
  );
});

for (const dialler of ['our daemon', 'the stock daemon']) {
  test(`a stock daemon and ours replicate to each other when ${dialler} dials`, async (t) => {
    const box = sandbox(t);
    const stock = await StockDaemon.make(box, randomNetworkKey());
    const ours = await Machine.make(box, 'ours', stock.networkKey);
    await Promise.all([stock.start(), ours.start()]);
    await ours.must('follow', stock.id);
    await stockAnswer(stock, 'publish', '--type', 'contact', '--contact', ours.id, '--following');
    await stockAnswer(stock, 'publish', '--type', 'log', '--source', 'a', '--destination', 'b', '--text', 'from stock');
    await ours.pipe('from ours\n', '--destination', 'stock');

    if (dialler === 'our daemon') await ours.must('connect', stock.address);
    else await stockClient(stock, 'gossip.connect', ours.address);

    const { text } = await ours.waitForLog(2, '--destination', 'b', '--destination', 'stock');
    assert.match(text, /\[a\] -> \[b\] from stock\n/);
    await waitFor(
      'the line of ours on the stock daemon',
      async () => (await stockMessages(stock)).some((message) => message.value.content.text === 'from ours'),
      { everyMs: 500, deadlineMs: STOCK_DEADLINE_MS, detail: () => `${stock.said}\n${ours.said}` },
    );

    // And live, over the connection that stands.
    await ours.pipe('live from ours\n', '--destination', 'stock');
    await stockAnswer(stock, 'publish', '--type', 'log', '--source', 'a', '--destination', 'b', '--text', 'live');
    await ours.waitForLog(4);
    await waitFor(
      'the live line of ours on the stock daemon',
      async () => (await stockMessages(stock)).some((message) => message.value.content.text === 'live from ours'),
      { everyMs: 500, deadlineMs: STOCK_DEADLINE_MS, detail: () => `${stock.said}\n${ours.said}` },
    );
  });
}

test('a full block, three times as many bytes as SSB counts units, comes through a stock daemon as it was signed', async (t) => {
  const box = sandbox(t);
  const stock = await StockDaemon.make(box, randomNetworkKey());
  const [ours, third] = [
    await Machine.make(box, 'ours', stock.networkKey),
    await Machine.make(box, 'third', stock.networkKey),
  ];
  await Promise.all([stock.start(), ours.start(), third.start()]);
  await third.must('follow', ours.id);
  await third.must('follow', stock.id);
  await stockAnswer(stock, 'publish', '--type', 'contact', '--contact', ours.id, '--following');
  await stockAnswer(stock, 'publish', '--type', 'contact', '--contact', third.id, '--following');
  await ours.must('follow', stock.id);

  const random = seededRandom(5);
  const lines = Array.from({ length: 2_000 }, () => `sent ${random.bytes(20).toString('hex')} to the nas`);
  await ours.pipe(lines.map((line) => `${line}\n`).join(''), '--destination', 'nas');
  await ours.must('connect', stock.address);
  await third.must('connect', stock.address);

  const { text } = await third.waitForLog(lines.length, '--destination', 'nas');
  assert.deepEqual(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(line.indexOf('sent '))),
    lines,
  );
  const own = (await stockMessages(stock)).filter(({ value }) => value.author === ours.id);
  const sizes = own.map(({ value }) => Buffer.byteLength(JSON.stringify(value, null, 2)));
  assert.ok(Math.max(...sizes) > 21_000, String(sizes));
});

test('a stock daemon that is blocked is hung up on, kept out, and gets nothing more', async (t) => {
  const box = sandbox(t);
  const stock = await StockDaemon.make(box, randomNetworkKey());
  const ours = await Machine.make(box, 'ours', stock.networkKey);
  await Promise.all([stock.start(), ours.start()]);
  await ours.must('follow', stock.id);
  await stockAnswer(stock, 'publish', '--type', 'contact', '--contact', ours.id, '--following');
  await ours.pipe('before\n');
  await ours.must('connect', stock.address);
  const has = async (text: string) =>
    (await stockMessages(stock)).some(({ value }) => value.author === ours.id && value.content.text === text);
  const options = { everyMs: 500, deadlineMs: STOCK_DEADLINE_MS, detail: () => `${stock.said}\n${ours.said}` };
  await waitFor('the line on the stock daemon', () => has('before'), options);

  await ours.must('block', stock.id);
  await waitFor('the connection to end', async () => (await ours.status()).peers.length === 0);
  await ours.pipe('after\n');
  await stockAnswer(stock, 'publish', '--type', 'log', '--source', 'a', '--text', 'from the blocked one');
  // It dials, with the network key, and is let down; so does nobody here.
  assert.notEqual((await stockClient(stock, 'gossip.connect', ours.address)).code, 0);
  assert.match((await ours.must('connect', stock.address)).stderr, /blocks it/);
  assert.equal((await ours.status()).peers.length, 0);
  assert.equal(await has('after'), false);
  assert.doesNotMatch((await ours.must('log')).text, /from the blocked one/);

  // That nothing came was for no other reason.
  await ours.must('follow', stock.id);
  await ours.must('connect', stock.address);
  await waitFor('what was missed', () => has('after'), options);
  await ours.waitForLog(3);
});

test('the directory of a stock ssb-server becomes a machine and keeps its identity and its feed', async (t) => {
  const box = sandbox(t);
  const stock = await StockDaemon.make(box, randomNetworkKey());
  await stock.start();
  await stockAnswer(stock, 'publish', '--type', 'log', '--source', 'a', '--text', 'from the old days');
  await stock.stop();

  const ours = await Machine.adopt(box, 'adopted', stock);
  assert.equal(ours.id, stock.id);
  await ours.start();
  await ours.pipe('from now on\n', '--source', 'a');
  const { text } = await ours.waitForLog(2);
  assert.match(text, /\[a\] from the old days\n.*\[a\] from now on\n$/);
  const sequences = (await stockMessages(ours)).map((message) => message.value.sequence);
  assert.equal(Math.max(...sequences), new Set(sequences).size, 'one feed, without a fork or a gap');
});

test('a stranger who knows the network key cannot publish in the name of a machine', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const rpc = await connectAsStranger(laptop.address, laptop.networkKey);
  await assert.rejects(promisify(rpc.publish)({ type: 'log', text: 'forged' }));
  await promisify(rpc.close)(true);
  await laptop.pipe('genuine\n');
  const { text } = await laptop.waitForLog(1);
  assert.doesNotMatch(text, /forged/);
});
