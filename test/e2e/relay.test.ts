/** A relay: where machines meet that can do no more than dial out. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../helpers/free-port.ts';
import { assertSameBytes } from '../helpers/log-text.ts';
import { Machine, network, startAll } from '../helpers/machine.ts';
import { readMemory } from '../helpers/proc.ts';
import { makeCertificate, Relay, tlsProxy } from '../helpers/relay.ts';
import { connectAsStranger } from '../helpers/stock.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** As after an invite: each follows the relay and is followed by it; nobody is told of anybody else. */
async function meetAt(relay: Relay, ...machines: [machine: Machine, address: string][]): Promise<void> {
  for (const [machine, address] of machines) {
    await relay.machine.must('follow', machine.id);
    await machine.must('follow', relay.machine.id);
    assert.match((await machine.must('connect', address)).stderr, /: connected/);
  }
}

test('two machines that only dial out, and do not know each other, share their logs at a relay', async (t) => {
  const [vps, laptop, nas] = await network(t, 'vps', 'laptop', 'nas');
  const relay = await Relay.of(vps);
  await Promise.all([relay.start(), startAll(laptop, nas)]);
  await meetAt(relay, [laptop, vps.address], [nas, relay.wsAddress]);
  await laptop.pipe('from the laptop\n', '--destination', 'nas');
  await nas.pipe('from the nas\n');
  const logs = await Promise.all([vps.waitForLog(2), laptop.waitForLog(2), nas.waitForLog(2)]);
  assertSameBytes(logs[1].stdout, logs[0].stdout, 'laptop and vps');
  assertSameBytes(logs[2].stdout, logs[0].stdout, 'nas and vps');
  const { peers } = await vps.status();
  assert.deepEqual(
    peers.map(({ direction }) => direction),
    ['incoming', 'incoming'],
  );
  for (const machine of [laptop, nas]) {
    const own = (await machine.status()).peers;
    assert.deepEqual(
      own.map(({ id, direction }) => [id, direction]),
      [[vps.id, 'outgoing']],
    );
  }

  await t.test('and also when they are never there at the same time', async () => {
    assert.equal(await nas.stop(), 0);
    await laptop.pipe('while the nas was off\n');
    await vps.waitForLog(3);
    assert.equal(await laptop.stop(), 0);
    await nas.start();
    await nas.waitForLog(3);
  });

  await t.test('and after the relay was killed and started again', async () => {
    await vps.kill9();
    await laptop.start();
    await laptop.pipe('while there was no relay\n');
    await relay.start();
    await nas.waitForLog(4);
  });
});

test("a relay's join code leads to where it is reached from outside, and those who joined see each other", async (t) => {
  const [vps] = await network(t, 'vps');
  const relay = await Relay.of(vps, '--access', 'followed', '--external', 'ws://localhost:WS_PORT');
  await relay.start();
  const { code } = await vps.json<{ code: string }>('invite', '--uses', '2');
  const joined = await Promise.all(['laptop', 'nas'].map((name) => join(vps, name, code)));
  await startAll(...joined);
  for (const machine of joined) {
    await machine.waitForPeer(vps);
    await machine.pipe(`from the ${machine.name}\n`);
  }
  for (const machine of joined) {
    await machine.waitForLog(2);
    const { peers } = await machine.status();
    assert.deepEqual(
      peers.map(({ id }) => id),
      [vps.id],
    );
    assert.match(peers[0]?.address ?? '', /^ws:\/\/localhost:/);
  }
});

test('a relay tells where it is reached from outside', async (t) => {
  const [vps] = await network(t, 'vps');
  const relay = await Relay.of(vps, '--external', 'vps.example.org,wss://logs.example.org');
  await relay.start();
  const expected = [
    `net:vps.example.org:${vps.port}`,
    `ws://vps.example.org:${relay.wsPort}`,
    'wss://logs.example.org',
    `net:127.0.0.1:${vps.port}`,
    `ws://127.0.0.1:${relay.wsPort}`,
  ].map((address) => relay.addressAt(address));
  assert.deepEqual((await vps.status()).addresses, expected);
  assert.match(vps.said, /listening on net:vps\.example\.org/);
});

test('init makes a relay, and start says whose port is taken', async (t) => {
  const [other] = await network(t, 'other');
  const relay = await Relay.of(other);
  await relay.start();
  const dir = other.box.path('relay');
  const made = await other.box.ssblog(['init', '--path', dir, '--relay', '--ws-port', String(relay.wsPort)]);
  assert.equal(made.code, 0, made.stderr);
  const config = JSON.parse(readFileSync(joinPath(dir, 'config.json'), 'utf8')) as { relay: boolean; wsPort: number };
  assert.deepEqual([config.relay, config.wsPort], [true, relay.wsPort]);
  const started = await other.box.ssblog(['start', '--path', dir, '--port', String(await freePort())]);
  assert.equal(started.code, 1);
  assert.match(started.stderr, new RegExp(`:${relay.wsPort} is in use by another program\\n.*--ws-port`));
});

test('plain HTTP gets nothing of a relay, not even a message that it holds', async (t) => {
  const [vps] = await network(t, 'vps');
  const relay = await Relay.of(vps);
  await relay.start();
  await vps.pipe('secret words\n');
  for (const path of ['/', '/msg/%25x.sha256', '/get/%25x.sha256', '/blobs', '/manifest.json', `/${vps.id}`]) {
    const response = await fetch(`http://127.0.0.1:${relay.wsPort}${path}`);
    assert.equal(response.status, 404);
    assert.equal(await response.text(), 'Not found\n');
  }
  await assert.rejects(connectAsStranger(relay.wsAddress, Buffer.alloc(32, 1).toString('base64')));
});

test('a relay is reached through a proxy with a certificate, and again when it was away', async (t) => {
  const [vps, laptop] = await network(t, 'vps', 'laptop');
  const files = makeCertificate(vps.box);
  const relay = await Relay.of(vps);
  const address = relay.addressAt(`wss://localhost:${await tlsProxy(t, files, relay.wsPort)}/ssb`);
  await relay.start();
  await laptop.start();
  assert.match((await laptop.must('connect', address)).stderr, /cannot be reached now \(self-signed certificate/);
  const withoutTls = relay.wsAddress.replace('ws:', 'wss:');
  assert.match((await laptop.must('connect', withoutTls)).stderr, /no TLS is spoken there/);
  assert.equal(await laptop.stop(), 0);
  laptop.setEnvironment({ NODE_EXTRA_CA_CERTS: files.cert });
  await laptop.start();
  await laptop.must('follow', vps.id);
  await vps.pipe('over TLS\n');
  await laptop.waitForLog(1);
  assert.equal(await vps.stop(), 0);
  await relay.start();
  await vps.pipe('once more\n');
  await laptop.waitForLog(2);
});

/** A machine that joined with a code. */
async function join(inviter: Machine, name: string, code: string): Promise<Machine> {
  const flags = ['--path', inviter.box.path(name), '--name', name, '--port', String(await freePort()), '--json'];
  const made = await inviter.box.ssblog(['join', code, ...flags]);
  assert.equal(made.code, 0, made.stderr);
  return Machine.at(inviter.box, JSON.parse(made.text));
}

/** A live stream of a feed, as a client of another kind reads it. @returns its texts so far */
async function readLive(address: string, networkKey: string, id: string): Promise<string[]> {
  const rpc = (await connectAsStranger(address, networkKey, { createHistoryStream: 'source' })) as unknown as {
    createHistoryStream(
      options: object,
    ): (abort: null, callback: (end: unknown, data?: StreamedMessage) => void) => void;
  };
  const texts: string[] = [];
  const source = rpc.createHistoryStream({ id, live: true, keys: false });
  const read = () =>
    source(null, (end, message) => {
      if (end) return;
      if (message?.content?.text !== undefined) texts.push(message.content.text);
      read();
    });
  read();
  return texts;
}
interface StreamedMessage {
  readonly content?: { readonly text?: string };
}

/** Forty, and then some that never say who they are: more than may wait at once. */
const MACHINES = 40;
const STRANGERS = 300;
const MAX_MEMORY_BYTES = 200e6;

test('forty are connected at once, and strangers that say nothing, or garbage, keep nobody out', async (t) => {
  const [vps, laptop] = await network(t, 'vps', 'laptop');
  const relay = await Relay.of(vps);
  await Promise.all([relay.start(), laptop.start()]);
  await meetAt(relay, [laptop, vps.address]);
  const memory = () => readMemory(vps.daemon.pid ?? 0);
  const before = memory()?.residentBytes ?? 0;

  // Those that a busy relay has not yet answered when the later ones come may have to make room before they are open.
  const opened = await Promise.allSettled(Array.from({ length: STRANGERS }, () => relay.openWebsocket()));
  const strangers = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  for (const result of opened) if (result.status === 'rejected') assert.match(`${result.reason}`, /socket hang up/);
  assert.ok(strangers.length >= STRANGERS / 2, `${strangers.length} could open`);
  const gone = Promise.all(strangers.map((socket) => (socket.readyState === 3 ? undefined : once(socket, 'close'))));
  for (const socket of strangers.slice(strangers.length / 2)) socket.send(Buffer.alloc(500, 'garbage'));
  const startedMs = Date.now();
  const streams = await Promise.all(
    Array.from({ length: MACHINES }, (_, index) =>
      readLive(index % 2 === 0 ? vps.address : relay.wsAddress, vps.networkKey, laptop.id),
    ),
  );
  const connectedMs = Date.now() - startedMs;
  assert.equal((await vps.status()).peers.length, MACHINES + 1);
  await laptop.pipe('to everybody\n');
  await waitFor('the line on all of them', () => streams.every((texts) => texts.includes('to everybody')));
  const { residentBytes, peakBytes } = memory() ?? { residentBytes: 0, peakBytes: 0 };
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  t.diagnostic(
    `${MACHINES} clients (half of them over websockets) connected in ${connectedMs} ms beside ${STRANGERS} strangers; ` +
      `memory ${mb(before)} before, ${mb(residentBytes)} with them, ${mb(peakBytes)} at most`,
  );
  assert.ok(peakBytes > 0 && peakBytes < MAX_MEMORY_BYTES);

  await gone; // those who did not make room had 15 s to say who they are
  assert.equal((await vps.status()).peers.length, MACHINES + 1);
  assert.ok(vps.said.split('\n').length < 30, vps.said);
});
