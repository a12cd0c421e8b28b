/** What a peer with the network key can make a daemon keep, and do: it stays small, and serves the others. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { link, type Machine, network, startAll } from '../helpers/machine.ts';
import { readMemory } from '../helpers/proc.ts';
import { connectAsStranger, type Rpc } from '../helpers/stock.ts';
import { waitFor } from '../helpers/wait-for.ts';

const MB = 1_000_000;
const MANIFEST = { createHistoryStream: 'source', manifest: 'async' };

type Answer = (end: unknown, value?: unknown) => void;

interface Stranger extends Rpc {
  createHistoryStream(options: object): (abort: unknown, answer: Answer) => void;
  manifest(answer: Answer): void;
  once(event: 'closed', listener: () => void): void;
}

/** @returns with the socket, so that it can stop reading what it asked for */
async function connect(t: TestContext, { address, networkKey }: Machine): Promise<{ rpc: Stranger; socket: Socket }> {
  let socket: Socket | undefined;
  const onSocket = (message: unknown) => {
    ({ socket } = message as { socket: Socket });
  };
  subscribe('net.client.socket', onSocket);
  const rpc = (await connectAsStranger(address, networkKey, MANIFEST)) as Stranger;
  unsubscribe('net.client.socket', onSocket);
  assert.ok(socket);
  const opened = socket;
  t.after(() => opened.destroy());
  return { rpc, socket };
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
