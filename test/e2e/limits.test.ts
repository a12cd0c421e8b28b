/** What a peer with the network key can make a daemon keep, and do: it stays small, and serves the others. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { noSmallDisk, onSmallDisk } from '../faults/small-disk.ts';
import { HandmadeFeed, HandmadePeer } from '../helpers/hostile.ts';
import { link, Machine, network, randomNetworkKey, startAll } from '../helpers/machine.ts';
import { readMemory } from '../helpers/proc.ts';
import { sandbox } from '../helpers/sandbox.ts';
import { connectAsStranger, type Rpc } from '../helpers/stock.ts';
import { waitFor } from '../helpers/wait-for.ts';

const MB = 1_000_000;
const POLL_MS = 700;
const MANIFEST = { createHistoryStream: 'source', manifest: 'async' };

type Answer = (end: unknown, value?: unknown) => void;

interface Stranger extends Rpc {
  createHistoryStream(options: object): (abort: unknown, answer: Answer) => void;
  manifest(answer: Answer): void;
  once(event: 'closed', listener: () => void): void;
}

/** @param dial makes one connection. @returns with its socket, so that it can stop reading what it asked for */
async function withSocket<T>(t: TestContext, dial: () => Promise<T>): Promise<{ peer: T; socket: Socket }> {
  let socket: Socket | undefined;
  const onSocket = (message: unknown) => {
    ({ socket } = message as { socket: Socket });
  };
  subscribe('net.client.socket', onSocket);
  const peer = await dial();
  unsubscribe('net.client.socket', onSocket);
  assert.ok(socket);
  const opened = socket;
  t.after(() => opened.destroy());
  return { peer, socket };
}

async function connect(t: TestContext, { address, networkKey }: Machine): Promise<{ rpc: Stranger; socket: Socket }> {
  const { peer, socket } = await withSocket(t, () => connectAsStranger(address, networkKey, MANIFEST));
  return { rpc: peer as Stranger, socket };
}

function countAll(source: (abort: unknown, answer: Answer) => void): Promise<number> {
  let count = 0;
  return new Promise((resolve, reject) => {
    const read = () =>
      source(null, (end) => {
        if (end === true) resolve(count);
        else if (end) reject(end);
        else {
          count += 1;
          setImmediate(read);
        }
      });
    read();
  });
}

/** A machine with this much to tell, and one that follows it and must get each line that is still to come. */
async function pair(t: TestContext, input: string): Promise<[laptop: Machine, nas: Machine]> {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await link(nas, laptop);
  await laptop.pipe(input);
  return [laptop, nas];
}

/** Nothing of it can be compressed much: about 2 MB for 200,000 lines. */
function noise(lines: number): string {
  return Array.from({ length: lines }, () => `${Math.random().toString(36)}\n`).join('');
}

test('a peer that asks for much and reads nothing costs no memory, and gets all when it reads', async (t) => {
  const CALLS = 100;
  const [laptop, nas] = await pair(t, noise(200_000));
  const { messages } = await laptop.status();
  const memory = () => readMemory(laptop.daemon.pid ?? 0)?.peakBytes ?? 0;
  const before = memory();
  const { rpc, socket } = await connect(t, laptop);
  socket.pause();
  const counts = Promise.all(
    Array.from({ length: CALLS }, () => countAll(rpc.createHistoryStream({ id: laptop.id, seq: 1, keys: false }))),
  );
  await laptop.pipe('live\n');
  await nas.waitForLog(200_001);
  const grown = memory() - before;
  t.diagnostic(`${messages} messages, ${CALLS} times: the daemon grew by ${(grown / MB).toFixed()} MB`);
  assert.ok(grown < 100 * MB, `${grown} bytes`);
  socket.resume();
  for (const count of await counts) assert.ok(count >= messages, `${count} of ${messages}`);
});

test('who sends a huge frame, opens ever more calls, or reads no answers is hung up on', async (t) => {
  const [laptop, nas] = await pair(t, 'genuine\n');
  const attacks: Record<string, [says: RegExp, attack: (rpc: Stranger, socket: Socket) => unknown]> = {
    'a huge frame': [/a frame of 3\d+ bytes/, (rpc) => countAll(rpc.createHistoryStream({ id: 'x'.repeat(3 * MB) }))],
    'too many calls': [
      /more than 512 calls open/,
      (rpc) =>
        Promise.all(
          Array.from({ length: 600 }, () => countAll(rpc.createHistoryStream({ id: laptop.id, live: true }))),
        ),
    ],
    'answers that nobody reads': [
      /does not read/,
      (rpc, socket) => {
        socket.pause();
        for (let call = 0; call < 30_000; call += 1) rpc.manifest(() => undefined);
      },
    ],
  };
  for (const [what, [says, attack]] of Object.entries(attacks)) {
    await t.test(what, async () => {
      const { rpc, socket } = await connect(t, laptop);
      const ended = Promise.resolve(attack(rpc, socket)).catch(() => undefined); // it is hung up on
      await laptop.daemon.waitForOutput('stderr', says);
      await waitFor('the connection to end', async () => (await laptop.status()).peers.length === 1);
      socket.resume();
      await ended;
    });
  }
  await laptop.pipe('live\n');
  await nas.waitForLog(2);
});

test('a followed machine that floods gets its share of the disk and holds up nobody', { skip: noSmallDisk }, (t) =>
  onSmallDisk(40 * MB, async (disk) => {
    const LINES = 900_000;
    const box = sandbox(t);
    const key = randomNetworkKey();
    const [flooder, desk] = [await Machine.make(box, 'flooder', key), await Machine.make(box, 'desk', key)];
    const nas = await Machine.make(box, 'nas', key, undefined, `${disk.dir}/nas`);
    disk.fill(16 * MB);
    await startAll(flooder, desk, nas);
    await link(nas, flooder);
    await link(nas, desk);
    await desk.must('follow', nas.id);
    const flood = flooder.pipe(noise(LINES));
    await waitFor('the flood to come', async () => (await nas.status()).lines > 50_000);
    const since = Date.now();
    await desk.pipe('from desk, in the flood\n');
    await nas.waitForLog(1, '--source', 'desk');
    const ms = Date.now() - since;
    t.diagnostic(`a line of another machine came through the flood in ${ms} ms, two commands included`);
    assert.ok(ms < 10_000, `${ms} ms`);
    await flood;

    const [pause] = await waitFor('the flood to be held up', async () => {
      const { paused } = await nas.status();
      return paused.length > 0 ? paused : undefined;
    });
    assert.equal(pause?.id, flooder.id);
    assert.match((await nas.must('status')).text, /paused +nothing more of flooder is taken: \S+ MB came in a day/);
    const findings = JSON.parse((await nas.run('doctor', '--json')).text) as { code: string; severity: string }[];
    assert.equal(findings.find(({ code }) => code === 'replication-paused')?.severity, 'warning');
    const { lines } = await nas.status();
    assert.ok(lines < LINES, `${lines}`);
    await desk.pipe('from desk, after it\n');
    await nas.waitForLog(2, '--source', 'desk');
    await nas.pipe('from nas\n');
    await desk.waitForLog(1, '--source', 'nas');
    const { known, have } = (await nas.status()).replication;
    assert.ok(known > have, 'status still tells how much there is');

    disk.fill(MB);
    await waitFor('everybody to be held up', async () => (await nas.status()).paused[0]?.id === null);
    await nas.pipe('from nas, with little room\n');
    assert.equal((await nas.status()).spool.lines, 0);
    disk.free();
    await waitFor('all of it to be there', async () => (await nas.status()).lines === LINES + 4, {
      detail: () => nas.said,
    });
    assert.deepEqual((await nas.status()).paused, []);
    assert.match(nas.said, /nothing more of flooder is taken.*nothing of other machines.*taken again/s);
    assert.ok(nas.said.split('\n').length < 15, nas.said);
  }),
);

test('a stranger that sends without end is read slowly, also when it comes again, and the others as always', async (t) => {
  const [laptop, nas] = await pair(t, 'genuine\n');
  const feed = new HandmadeFeed();
  // What nobody asked for, by the megabyte.
  const message = feed.sign({ type: 'log', text: 'x'.repeat(7_000) });
  const frames = Array.from({ length: 6_000 }, () => message);
  for (const round of [1, 2]) {
    const { peer: stranger, socket } = await withSocket(t, () => HandmadePeer.connect(laptop, feed));
    await stranger.replicate(frames); // they wait in this process from then on
    const taken = () => socket.bytesWritten - socket.writableLength;
    let before = 0;
    await waitFor(
      'the stranger to be read slowly',
      () => {
        const bytes = taken() - before;
        before = taken();
        return before > MB && bytes < (MB * POLL_MS) / 1_000;
      },
      { everyMs: POLL_MS },
    );
    t.diagnostic(`time ${round}: slow after ${(before / MB).toFixed(1)} MB, what sockets hold included`);
    assert.ok(before < 30 * MB, `${before} of 44 MB were read as fast as they came`);
    await laptop.pipe('live\n');
    await nas.waitForLog(1 + round);
    socket.destroy();
  }
});
