/** Machines on real hosts: what they find, and what others learn of it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { countLines, type Machine, startAll } from '../helpers/machine.ts';
import { Relay } from '../helpers/relay.ts';
import { Capture, NO_HOSTS, topology } from '../helpers/topology.ts';
import { waitFor } from '../helpers/wait-for.ts';

const SKIP = { skip: NO_HOSTS };
const FOUND_WITHIN_MS = 5_000;

/** Each follows the next one: the others are within the hops. */
async function followInRing(machines: readonly Machine[]): Promise<void> {
  const next = (index: number) => machines[(index + 1) % machines.length] as Machine;
  await Promise.all(machines.map((one, index) => one.must('follow', next(index).id)));
}

async function waitUntilConnected(machines: readonly Machine[]): Promise<void> {
  for (const one of machines) {
    await waitFor(
      `${one.name} to be connected with all others`,
      async () => (await one.status()).peers.length >= machines.length - 1,
      { detail: () => one.said },
    );
  }
}

/** Starts them. @returns the time from when the last one listens until all are connected with all */
async function timeToMeet(t: TestContext, machines: readonly Machine[]): Promise<number> {
  await startAll(...machines);
  const startedMs = Date.now();
  await waitUntilConnected(machines);
  const since: number[] = [];
  for (const machine of machines) {
    const { peers } = await machine.status();
    assert.doesNotMatch(machine.said, /refused a connection/);
    assert.equal(new Set(peers.map(({ id }) => id)).size, peers.length, 'there is one connection with each');
    since.push(...peers.map(({ sinceMs }) => sinceMs));
  }
  const ms = Math.max(0, Math.max(...since) - startedMs);
  t.diagnostic(`all connected with all after ${ms} ms`);
  return ms;
}

async function shareLogs(machines: readonly Machine[]): Promise<void> {
  await Promise.all(machines.map((machine) => machine.pipe(`a line of ${machine.name}\n`)));
  for (const { text } of await Promise.all(machines.map((machine) => machine.waitForLog(machines.length)))) {
    for (const { name } of machines) assert.match(text, new RegExp(`a line of ${name}`));
  }
}

for (const [title, network, names] of [
  ['three machines on one LAN', '10.1.0', ['laptop', 'nas', 'pi']],
  ['two machines on a LAN without IPv4', undefined, ['laptop', 'nas']],
] as const) {
  test(`${title} find each other and share their logs, with no address configured`, SKIP, async (t) => {
    const net = topology(t);
    const lan = net.lan(network);
    const made = await Promise.all(names.map((name) => net.machine(name, lan)));
    const machines = made.map(({ machine }) => machine);
    await followInRing(machines);
    assert.ok((await timeToMeet(t, machines)) < FOUND_WITHIN_MS);
    await shareLogs(machines);
    const { peers, lan: state } = await (machines[0] as Machine).status();
    for (const { direction, via } of peers) assert.equal(via, direction === 'outgoing' ? 'lan' : null);
    assert.deepEqual(
      state.links.map(({ name, problem }) => [name, problem]),
      network === undefined
        ? [['eth0', null]]
        : [
            ['eth0', null],
            ['eth0', null],
          ],
    );
  });
}

test('a laptop carries lines from one LAN to another, whose machines never meet', SKIP, async (t) => {
  const net = topology(t);
  const [home, office] = [net.lan('10.1.0'), net.lan('10.2.0')];
  const a = (await net.machine('nas', home)).machine;
  const b = await net.machine('laptop', home);
  const c = (await net.machine('server', office)).machine;
  await Promise.all([a.must('follow', b.machine.id), c.must('follow', b.machine.id)]);
  await b.machine.must('follow', a.id);
  await b.machine.must('follow', c.id);
  await startAll(a, b.machine, c);
  await a.pipe('a line from home\n');
  await b.machine.waitForLog(1);
  b.host.unplug();
  b.host.plug(office);
  const movedMs = Date.now();
  const { text } = await c.waitForLog(1);
  t.diagnostic(`in the other network's log ${Date.now() - movedMs} ms after it was plugged in there`);
  assert.match(text, /a line from home/);
  const peers = async (machine: Machine) => (await machine.status()).peers.map(({ id }) => id);
  assert.ok(!(await peers(c)).includes(a.id));
  await c.pipe('a line from the office\n');
  await b.machine.waitForLog(2);
  b.host.unplug();
  b.host.plug(home);
  assert.match((await a.waitForLog(2)).text, /a line from the office/);
});

test('who has another network key learns nothing on the LAN and gets nothing', SKIP, async (t) => {
  const net = topology(t);
  const lan = net.lan('10.1.0');
  const friends = [(await net.machine('annas-laptop', lan)).machine, (await net.machine('cellar-nas', lan)).machine];
  const strangerHost = net.host(lan);
  const stranger = await strangerHost.machine('stranger', randomBytes(32).toString('base64'));
  const capture = await Capture.of(lan, strangerHost.box);
  const [laptop, nas] = friends as [Machine, Machine];
  await followInRing(friends);
  await stranger.must('follow', laptop.id);
  await startAll(stranger, ...friends);
  await waitUntilConnected(friends);
  await shareLogs(friends);
  const { address } = (await nas.status()).lan.found.length > 0 ? laptop : nas;
  const dialled = await stranger.must('connect', address.replace('127.0.0.1', '10.1.0.11'));
  assert.match(dialled.stderr, /another network key/);
  const seen = await capture.end();
  assert.deepEqual((await stranger.status()).lan.found, []);
  assert.equal((await stranger.must('log')).text, '');
  assert.deepEqual(
    (await laptop.status()).lan.found.map(({ id }) => id),
    [nas.id],
  );

  assert.ok(seen.length > 10_000, 'their conversation was captured');
  const key = Buffer.from(net.networkKey, 'base64');
  const secrets = new Map<string, Buffer>([['network key', key]]);
  for (const { id, name } of friends) {
    secrets.set(`id of ${name}`, Buffer.from(id.slice(1), 'base64'));
    secrets.set(`name ${name}`, Buffer.from(name));
    secrets.set(`line of ${name}`, Buffer.from(`a line of ${name}`));
  }
  for (const [what, bytes] of secrets) {
    for (const form of [
      bytes,
      Buffer.from(bytes.toString('base64').slice(0, -2)),
      Buffer.from(bytes.toString('hex')),
    ]) {
      assert.equal(seen.indexOf(form), -1, `${what} can be read on the wire`);
    }
  }
});

test('a machine with the network key that nobody follows is seen, and not dialled', SKIP, async (t) => {
  const net = topology(t);
  const lan = net.lan('10.1.0');
  const { machine: nas } = await net.machine('nas', lan);
  const { machine: newcomer } = await net.machine('newcomer', lan);
  await startAll(nas, newcomer);
  const found = await waitFor('the newcomer to be found', async () => (await nas.status()).lan.found[0]);
  assert.deepEqual([found.id, found.wanted], [newcomer.id, false]);
  assert.deepEqual((await nas.status()).peers, []);
  assert.match((await nas.must('status')).text, new RegExp(`ssblog follow ${newcomer.id.replaceAll('+', '\\+')}`));
  await nas.must('follow', newcomer.id);
  await nas.waitForPeer(newcomer);
});

test('a cable pulled in the middle of a big catch-up loses nothing, and it goes on where it was', SKIP, async (t) => {
  const net = topology(t);
  const lan = net.lan('10.1.0');
  const { host, machine: laptop } = await net.machine('laptop', lan);
  const { machine: nas } = await net.machine('nas', lan);
  const LINES = 200_000;
  const line = (index: number) => `${index} ${Math.sin(index).toString(36).slice(3)}`;
  await laptop.pipe(Array.from({ length: LINES }, (_, index) => `${line(index)}\n`).join(''));
  await nas.must('follow', laptop.id);
  host.limit('8mbit');
  await startAll(laptop, nas);
  const before = await waitFor('the catch-up to be under way', async () => {
    const { lines } = await nas.status();
    return lines > LINES / 10 ? lines : undefined;
  });
  assert.ok(before < LINES * 0.9, `it is in the middle of it: ${before} lines`);
  host.setCable('down');
  await waitFor('the laptop to notice', async () => (await laptop.status()).peers.length === 0);
  const atCut = (await nas.status()).lines;
  assert.ok(atCut < LINES, `${atCut} lines were there when it was cut`);
  host.unlimit();
  host.setCable('up');
  await waitFor('all lines', async () => (await nas.status()).lines === LINES);
  const { stdout, text } = await nas.must('log', '--utc');
  assert.equal(countLines(stdout), LINES);
  const lines = text.split('\n');
  for (let index = 0; index < LINES; index += 1) assert.ok(lines[index]?.endsWith(` ${line(index)}`), lines[index]);
});

test('two homes behind routers that let nobody in meet at a machine outside', SKIP, async (t) => {
  const net = topology(t);
  const [internet, ...homes] = [net.lan('10.9.0'), net.lan('192.168.1'), net.lan('192.168.1')];
  const outside = await net.machine('relay', internet);
  const relay = await Relay.of(outside.machine);
  const machines: Machine[] = [relay.machine];
  for (const [index, home] of homes.entries()) {
    const { host, machine } = await net.machine(`home${index}`, home);
    host.routeBy(net.router(home, internet));
    machines.push(machine);
  }
  await followInRing(machines);
  await Promise.all([relay.start(), startAll(...machines.slice(1))]);
  // One of them over TCP, one over a websocket.
  for (const [index, address] of [relay.machine.address, relay.wsAddress].entries()) {
    await machines[index + 1]?.must('connect', address.replace('127.0.0.1', outside.host.address));
  }
  await shareLogs(machines);
  const peers = await Promise.all(machines.slice(1).map(async (machine) => (await machine.status()).peers));
  for (const connected of peers)
    assert.deepEqual(
      connected.map(({ id }) => id),
      [relay.machine.id],
    );
  const routerOfFirst =
    (await relay.machine.status()).peers
      .find(({ id }) => id === machines[1]?.id)
      ?.address?.match(/ffff:([\d.]+):/)?.[1] ?? '';
  const knocked = await relay.machine.must(
    'connect',
    relay.machine.address
      .replace('127.0.0.1', routerOfFirst)
      .replace(/shs:.*/, `shs:${(machines[1] as Machine).id.slice(1).replace('.ed25519', '')}`),
  );
  assert.match(knocked.stderr, /cannot be reached now/);
});

test(
  'while the network key changes, machines with the new and the old one find each other on the LAN',
  SKIP,
  async (t) => {
    const net = topology(t);
    const lan = net.lan('10.1.0');
    const { machine: laptop } = await net.machine('laptop', lan);
    const { machine: nas } = await net.machine('nas', lan);
    const { machine: late } = await net.machine('late', lan);
    const { machine: stolen } = await net.machine('stolen', lan);
    for (const one of [nas, late, stolen]) {
      await laptop.must('follow', one.id);
      await one.must('follow', laptop.id);
    }
    await startAll(laptop, nas, late, stolen);
    for (const one of [nas, late, stolen]) await laptop.waitForPeer(one);
    await late.stop();
    await laptop.must('block', stolen.id);
    await laptop.must('rekey', '--grace', '1h');
    const key = (machine: Machine) =>
      (JSON.parse(readFileSync(machine.path('config.json'), 'utf8')) as { networkKey: string }).networkKey;
    await waitFor('nas to take the new key over', () => key(nas) === key(laptop));
    await waitUntilConnected([laptop, nas]);

    // No address was ever told: packets under the old key are what brings them together.
    await late.start();
    const sinceMs = Date.now();
    await waitFor('the late one to take the new key over', () => key(late) === key(laptop), {
      detail: () => late.said,
    });
    t.diagnostic(`it had the new key ${Date.now() - sinceMs} ms after it came`);
    await laptop.waitForPeer(late);
    await shareLogs([laptop, nas, late]);
    // A connection is there for a moment, until the other side knows who dials.
    const others = new Set([laptop, nas, late].map(({ id }) => id));
    await waitFor('who is shut out to be hung up on', async () =>
      (await stolen.status()).peers.every(({ id }) => !others.has(id)),
    );
    assert.doesNotMatch((await stolen.must('log')).text, /a line of/);

    const found = async () => (await stolen.status()).lan.found.map(({ id }) => id);
    assert.ok((await found()).includes(laptop.id), 'it hears the packets under the old key');
    await laptop.must('rekey', '--now');
    await waitFor('nobody to call under the old key', async () => (await found()).length === 0);
    assert.deepEqual((await laptop.status()).lan.found.map(({ id }) => id).includes(stolen.id), false);
    assert.equal((await laptop.status()).peers.length, 2);
  },
);
