/** A peer that speaks the protocol wrong, on purpose: the daemon stays up, says little, and serves the others. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HandmadeFeed, HandmadePeer, HangingUp } from '../helpers/hostile.ts';
import { link, type Machine, network, startAll } from '../helpers/machine.ts';
import { waitFor } from '../helpers/wait-for.ts';

const feedId = (number: number) => {
  const key = Buffer.alloc(32);
  key.writeUInt32BE(number);
  return `@${key.toString('base64')}.ed25519`;
};
/** As JSON has it: `__proto__` is a field like any other. */
const json = (text: string) => JSON.parse(text) as unknown;

/** What is sent when the peer is asked to replicate, by what it is. */
const FRAMES: Readonly<Record<string, (self: string) => readonly unknown[]>> = {
  null: () => [null],
  'no objects': () => ['x', 5, true, [], Buffer.from('x')],
  'notes without feeds': () => [{}, { clock: null }, { clock: [] }, { clock: 'x' }, { x: 1, '@x': 2 }],
  'a message before anything else': (self) => [{ author: self, sequence: 1e9, content: {} }],
  'a message that nobody signed': (self) => {
    const message = {
      previous: null,
      author: self,
      sequence: 1,
      timestamp: 1,
      hash: 'sha256',
      content: { type: 'log' },
    };
    return [{ [self]: 2 << 20 }, { ...message, signature: 'x' }, { ...message, signature: null }];
  },
  'messages by prototypes': () => [
    {},
    json('{"author":"__proto__","sequence":1,"content":{}}'),
    json('{"author":"constructor","sequence":1,"content":{}}'),
    {},
  ],
  'a message by a number': () => [{}, { author: 5, sequence: 1, content: {} }],
  'notes on prototypes': () => [
    json('{"clock":1,"__proto__":4,"constructor":6,"toString":8}'),
    json('{"clock":{"__proto__":4,"constructor":6,"hasOwnProperty":8}}'),
    {},
  ],
  'absurd clocks': (self) =>
    [1e15, -1e15, 2 ** 31, 2 ** 31 - 2, 1.5, -7, 'x', null, {}].map((value) => ({ [self]: value })),
  'the same note ever again': (self) => Array.from({ length: 3000 }, () => ({ [self]: 0 })),
};

/** A machine with a line, and one that follows it and must get each line that is still to come. */
async function pair(t: TestContext): Promise<[laptop: Machine, nas: Machine]> {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await laptop.pipe('genuine\n');
  await link(nas, laptop);
  await nas.waitForLog(1);
  return [laptop, nas];
}

test('whatever a peer sends in the place of messages, the daemon goes on', async (t) => {
  const [laptop, nas] = await pair(t);
  const { pid } = laptop.daemon;
  let lines = 1;
  for (const [what, frames] of Object.entries(FRAMES)) {
    await t.test(what, async () => {
      const peer = await HandmadePeer.connect(laptop);
      await peer.replicate(frames(laptop.id));
      lines += 1;
      await laptop.pipe(`after ${what}\n`);
      await nas.waitForLog(lines);
      assert.equal((await laptop.status()).daemon.pid, pid);
      await peer.close();
    });
  }
  assert.ok(laptop.said.split('\n').length < 30, laptop.said);
});

test('a followed peer that sends messages with other signatures, gaps and repetitions stores nothing', async (t) => {
  const [laptop, nas] = await pair(t);
  const feed = new HandmadeFeed();
  await laptop.must('follow', feed.id);
  const peer = await HandmadePeer.connect(laptop, feed);
  const first = feed.sign({ type: 'log', text: 'the first' });
  const second = feed.sign({ type: 'log', text: 'the second' });
  const forged = { ...second, content: { type: 'log', text: 'forged' } };
  await peer.replicate([{ [feed.id]: 2 << 1 }, first, forged, { ...second, sequence: 7 }, first, first]);
  await laptop.waitForLog(2);
  await laptop.pipe('live\n');
  await nas.waitForLog(2);
  const { text } = await laptop.must('log');
  assert.doesNotMatch(text, /forged/);
  assert.equal(text.match(/the first/g)?.length, 1);
  await peer.close();
});

test('what somebody who is not followed claims to have of a feed is not taken for what there is', async (t) => {
  const [laptop, nas] = await pair(t);
  const claim = [{ [laptop.id]: 100_000_000 << 1 }];
  const claimed = async () => (await nas.status()).replication.known;
  const stranger = await HandmadePeer.connect(nas);
  await stranger.replicate(claim);
  const feed = new HandmadeFeed();
  await nas.must('follow', feed.id);
  const followed = await HandmadePeer.connect(nas, feed);
  await followed.replicate(claim);
  await waitFor('the claim of the followed one', async () => (await claimed()) > 100_000_000);
  await followed.close();
  await waitFor('no claim', async () => {
    const { have, known, feeds } = (await nas.status()).replication;
    return have === known && feeds.every((one) => one.have === one.known);
  });
  assert.ok((await nas.status()).peers.length > 1, 'the stranger is still there');
  await stranger.close();
});

test('a peer that names ever new feeds is not spoken with for long', async (t) => {
  const [laptop, nas] = await pair(t);
  const peer = await HandmadePeer.connect(laptop);
  const notes = Array.from({ length: 100 }, (_, note) =>
    Object.fromEntries(Array.from({ length: 1000 }, (_, feed) => [feedId(note * 1000 + feed), 100])),
  );
  await peer.replicate(notes);
  await laptop.daemon.waitForOutput('stderr', /too many feeds/);
  await laptop.pipe('live\n');
  await nas.waitForLog(2);
  await peer.close();
});

test('a thousand connections that say nothing, or garbage, keep nobody else out', async (t) => {
  const [laptop, nas] = await pair(t);
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let index = 0; index < 1000; index += 1) {
    const socket = connect(laptop.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined); // the daemon may hang up
    if (index % 2 === 0) socket.write(Buffer.alloc(500, index));
  }
  await waitFor('all of them to be through', () => sockets.every(({ connecting }) => !connecting), { everyMs: 50 });
  await laptop.pipe('live\n');
  await nas.waitForLog(2);
  await nas.stop();
  await nas.start();
  await nas.waitForPeer(laptop);
  assert.ok(laptop.said.split('\n').length < 30, laptop.said);
});

test('a peer that hangs up as soon as it is reached is dialled again and again', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const peer = await HangingUp.listen(laptop.networkKey);
  t.after(() => peer.close());
  await laptop.run('connect', peer.address);
  await waitFor('another attempt', () => peer.count > 1, { detail: () => `there were ${peer.count}` });
  await waitFor('no connection', async () => (await laptop.status()).peers.length === 0);
});
