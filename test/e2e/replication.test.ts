/** Lines that are piped in on one machine come out of the log of every machine that follows it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { filesBelow } from '../helpers/disk.ts';
import { assertSameBytes, textColumn } from '../helpers/log-text.ts';
import { befriend, link, Machine, network, randomNetworkKey, startAll } from '../helpers/machine.ts';
import { bridgeWebsocket, connectAsStranger } from '../helpers/stock.ts';

test('lines piped in on one machine come out of the log of another, with their labels, in order', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await link(nas, laptop);
  await laptop.pipe('one\ntwo\nthree\n', '--destination', 'nas', '--job', 'nightly');
  const { stdout } = await nas.waitForLog(3);
  assertSameBytes(
    textColumn(stdout, { source: 'laptop', destination: 'nas' }),
    Buffer.from('one\ntwo\nthree\n'),
    'nas',
  );
});

test('machines that follow each other print the same log, byte for byte', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(laptop, nas);
  for (const round of ['1', '2', '3']) {
    await Promise.all([
      laptop.pipe(`laptop ${round} a\nlaptop ${round} b\n`, '--destination', 'nas'),
      nas.pipe(`nas ${round} a\nnas ${round} b\n`, '--source', 'elsewhere'),
    ]);
  }
  const [onLaptop, onNas] = await Promise.all([laptop.waitForLog(12), nas.waitForLog(12)]);
  assertSameBytes(onLaptop.stdout, onNas.stdout, 'laptop and nas');
  assert.equal(onLaptop.text.split('\n').length, 13);
  const times = onLaptop.text.split('\n').map((line) => line.slice(0, 19));
  assert.deepEqual(times.slice(0, -1), times.slice(0, -1).sort(), 'sorted by time');
});

test('a line travels over a machine in the middle to one that the first never meets', async (t) => {
  const [a, b, c] = await network(t, 'a', 'b', 'c');
  await startAll(a, b);
  await link(b, a);
  await c.must('follow', b.id);
  await a.pipe('from a\n');
  await b.waitForLog(1);
  assert.equal(await a.stop(), 0);

  // C starts only now, when A is off.
  await c.start();
  await c.must('connect', b.address);
  const { text } = await c.waitForLog(1);
  assert.match(text, /^\S+ \S+ \[a\] from a\n$/);
});

test('three machines in a chain print the same log while all of them run', async (t) => {
  const [a, b, c] = await network(t, 'a', 'b', 'c');
  await startAll(a, b, c);
  await befriend(b, a);
  await befriend(c, b);
  await a.pipe('from a\nanother\n', '--destination', 'c');
  await b.pipe('from b\n');
  await c.pipe('from c\n');
  const logs = await Promise.all([a.waitForLog(4), b.waitForLog(4), c.waitForLog(4)]);
  assertSameBytes(logs[1].stdout, logs[0].stdout, 'a and b');
  assertSameBytes(logs[2].stdout, logs[0].stdout, 'a and c');
  const peers = (await c.status()).peers.map((peer) => peer.id);
  assert.ok(!peers.includes(a.id), 'a and c are not connected');
});

test('a machine that was off catches up, and dials the machine that it knows by itself', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await link(nas, laptop);
  await laptop.pipe('before\n');
  await nas.waitForLog(1);

  assert.equal(await nas.stop(), 0);
  await laptop.pipe('while it was off\n');
  await nas.start();
  await nas.waitForLog(2);

  assert.equal(await laptop.stop(), 0);
  await laptop.pipe('while none listened\n');
  await laptop.start();
  await laptop.pipe('after\n');
  const { stdout } = await nas.waitForLog(4);
  const expected = 'before\nwhile it was off\nwhile none listened\nafter\n';
  assertSameBytes(textColumn(stdout, { source: 'laptop' }), Buffer.from(expected), 'nas');
});

test('a machine that was off when it was connected to is dialled when it comes', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await laptop.pipe('waiting\n');
  await nas.start();
  await link(nas, laptop);
  await laptop.start();
  const { text } = await nas.waitForLog(1);
  assert.match(text, /\[laptop\] waiting\n$/);
});

test('connecting to a port that accepts and never answers ends, twice at once, and claims nothing', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  const silent = createServer((socket) => socket.on('error', () => undefined));
  t.after(() => silent.close());
  silent.listen(nas.port, '127.0.0.1');
  await once(silent, 'listening');
  await laptop.start();
  const attempts = [laptop.spawn('connect', nas.address), laptop.spawn('connect', nas.address)];
  for (const attempt of attempts) {
    const { code, text, stderr } = await attempt.done();
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(`${text}${stderr}`, /: connected/);
  }
});

test('a machine is reached over a websocket', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  const port = await bridgeWebsocket(t, laptop.port);
  await nas.must('follow', laptop.id);
  const { stderr } = await nas.must(
    'connect',
    laptop.address.replace(/^net:127\.0\.0\.1:\d+/, `ws://127.0.0.1:${port}`),
  );
  assert.match(stderr, /connected/);
  await laptop.pipe('over the web\n');
  assert.match((await nas.waitForLog(1)).text, /over the web/);
});

test('a machine is reached by its host name, and goes on', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await laptop.must('follow', nas.id);
  await laptop.must('connect', nas.address.replace('127.0.0.1', 'localhost'));
  await nas.pipe('a line of the nas\n');
  await laptop.waitForLog(1);
});

test('a machine that was killed catches up', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await link(nas, laptop);
  await laptop.pipe('before\n');
  await nas.waitForLog(1);
  await nas.kill9();
  await laptop.pipe('meanwhile\n');
  await laptop.kill9();
  await startAll(laptop, nas);
  const { stdout } = await nas.waitForLog(2);
  assertSameBytes(textColumn(stdout, { source: 'laptop' }), Buffer.from('before\nmeanwhile\n'), 'nas');
});

test('a machine with another network key is refused, and nothing of it is stored', async (t) => {
  const [a, b] = await network(t, 'a', 'b');
  const intruder = await Machine.make(a.box, 'intruder', randomNetworkKey());
  const secretText = 'words of the intruder';
  await startAll(a, b, intruder);
  await befriend(intruder, a);
  await intruder.pipe(`${secretText}\n`);
  await assert.rejects(connectAsStranger(a.address, intruder.networkKey), 'a handshake with the wrong key');

  // A member that comes later is served, so A has had time to take what the intruder offered.
  await link(a, b);
  await a.waitForPeer(b);
  await b.pipe('words of a member\n');
  const { text } = await a.waitForLog(1);
  assert.match(text, /words of a member/);
  assert.doesNotMatch(text, /intruder/);
  assert.equal(await a.stop(), 0);
  for (const file of filesBelow(a.dir)) {
    assert.ok(!readFileSync(file).includes(secretText), `${file} holds a line of the intruder`);
  }
});

test('a machine that nobody follows is served, but its own lines are not stored', async (t) => {
  const [a, b, unknown] = await network(t, 'a', 'b', 'unknown');
  await startAll(a, b, unknown);
  await a.pipe('for everybody\n');
  await unknown.pipe('nobody asked for this\n');
  await link(unknown, a);
  await unknown.waitForLog(2);

  await link(a, b);
  await b.pipe('from b\n');
  const { text } = await a.waitForLog(2);
  assert.doesNotMatch(text, /nobody asked/);
  assert.equal(await a.stop(), 0);
  for (const file of filesBelow(a.dir)) {
    assert.ok(!readFileSync(file).includes('nobody asked for this'), `${file} holds a line of a stranger`);
  }
});
