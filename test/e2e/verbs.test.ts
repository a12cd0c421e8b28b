/** What each verb prints, as the contract of the command line promises it to scripts. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../helpers/free-port.ts';
import {
  befriend,
  type InitAnswer,
  Machine,
  network,
  randomNetworkKey,
  startAll,
  TEST_ENGINE,
} from '../helpers/machine.ts';
import { PROJECT, sandbox } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

const ID = /^@[A-Za-z0-9+/]{43}=\.ed25519$/;
const mode = (path: string) => statSync(path).mode & 0o777;

test('init makes a machine in a new network, closed to other users', async (t) => {
  const box = sandbox(t);
  const dir = box.path('deep', 'down', 'laptop');
  const result = await box.ssblog(['init', '--path', dir, '--name', 'laptop', '--port', '12345', '--json']);
  assert.equal(result.code, 0, result.stderr);
  const answer = JSON.parse(result.text) as InitAnswer;
  assert.deepEqual(Object.keys(answer).sort(), ['id', 'name', 'networkKey', 'path', 'port']);
  assert.equal(answer.name, 'laptop');
  assert.match(answer.id, ID);
  assert.equal(answer.path, dir);
  assert.equal(answer.port, 12345);
  assert.equal(Buffer.from(answer.networkKey, 'base64').length, 32);
  assert.equal(mode(dir), 0o700);
  assert.equal(mode(join(dir, 'config.json')), 0o600);
  assert.equal(mode(join(dir, 'secret')), 0o400);
  assert.ok(readFileSync(join(dir, 'secret'), 'utf8').includes(answer.id));
});

test('init without a path makes the machine in ~/.ssblog', async (t) => {
  const box = sandbox(t);
  const result = await box.ssblog(['init', '--json']);
  assert.equal(result.code, 0, result.stderr);
  assert.equal((JSON.parse(result.text) as InitAnswer).path, join(String(box.env.HOME), '.ssblog'));
  assert.notEqual((JSON.parse(result.text) as InitAnswer).name, '');
});

test('two machines that init makes without a key are in different networks', async (t) => {
  const box = sandbox(t);
  const keys = new Set<string>();
  for (const name of ['a', 'b']) {
    const { text } = await box.ssblog(['init', '--path', box.path(name), '--json']);
    keys.add((JSON.parse(text) as InitAnswer).networkKey);
  }
  assert.equal(keys.size, 2);
});

test('whoami prints the id alone, with and without a daemon', async (t) => {
  const [laptop] = await network(t, 'laptop');
  for (const daemon of [false, true]) {
    if (daemon) await laptop.start();
    assert.equal((await laptop.must('whoami')).text, `${laptop.id}\n`);
    assert.deepEqual(await laptop.json('whoami'), { id: laptop.id, name: 'laptop' });
  }
});

test('global flags stand before or behind the verb, and SSBLOG_PATH names the directory', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const { box } = laptop;
  const expected = { id: laptop.id, name: 'laptop' };
  for (const args of [
    ['--json', '--path', laptop.dir, 'whoami'],
    ['--path', laptop.dir, 'whoami', '--json'],
    ['whoami', '--json', '--path', laptop.dir],
    ['whoami', `--path=${laptop.dir}`, '--json'],
    ['--quiet', 'whoami', '--no-color', '--json', '--path', laptop.dir],
    ['--verbose', '--path', laptop.dir, '--json', 'whoami'],
  ]) {
    const result = await box.ssblog(args);
    assert.equal(result.code, 0, `${args.join(' ')}: ${result.stderr}`);
    assert.deepEqual(JSON.parse(result.text), expected);
  }
  const byEnvironment = await box.ssblog(['whoami'], { env: { SSBLOG_PATH: laptop.dir } });
  assert.equal(byEnvironment.text, `${laptop.id}\n`);
  const other = await Machine.make(box, 'other');
  const flagWins = await box.ssblog(['whoami', '--path', other.dir], { env: { SSBLOG_PATH: laptop.dir } });
  assert.equal(flagWins.text, `${other.id}\n`);
});

test('help and version go to stdout, with 0', async (t) => {
  const box = sandbox(t);
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
  const printed = await box.ssblog(['--version']);
  assert.deepEqual([printed.code, printed.text.trim()], [0, version]);
  const help = await box.ssblog(['--help']);
  assert.equal(help.code, 0);
  const verbs = [
    'init',
    'start',
    'stop',
    'whoami',
    'follow',
    'unfollow',
    'machines',
    'connect',
    'status',
    'pipe',
    'log',
  ];
  for (const verb of [...verbs, 'assemble', 'config']) {
    assert.match(help.text, new RegExp(`^\\s+${verb}\\b`, 'm'), `--help names ${verb}`);
    const ofVerb = await box.ssblog([verb, '--help']);
    assert.equal(ofVerb.code, 0, ofVerb.stderr);
    assert.match(ofVerb.text, new RegExp(`ssblog ${verb}`));
  }
});

test('follow and unfollow answer with what holds then', async (t) => {
  const [laptop, nas, vps] = await network(t, 'laptop', 'nas', 'vps');
  await laptop.start();
  assert.deepEqual(await laptop.json('follow', nas.id), { id: nas.id, following: true, blocking: false });
  assert.deepEqual(await laptop.json('follow', nas.id), { id: nas.id, following: true, blocking: false });
  await laptop.must('follow', vps.id, '--name', 'the-vps');
  const named = await laptop.json('unfollow', 'the-vps');
  assert.deepEqual(named, { id: vps.id, following: false, blocking: false });
  assert.deepEqual(await laptop.json('unfollow', nas.id), { id: nas.id, following: false, blocking: false });
});

interface MachineAnswer {
  readonly id: string;
  readonly name: string | null;
  readonly hops: number | null;
  readonly followed: boolean;
  readonly connected: boolean;
  readonly lines: number;
}

test('machines lists every machine known, with its own name, and what is known of it', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(laptop, nas);
  await nas.pipe('one\ntwo\n');
  await laptop.waitForLog(2);
  await laptop.waitForPeer(nas);
  const find = async () => (await laptop.json<MachineAnswer[]>('machines')).find(({ id }) => id === nas.id);
  const known = await waitFor('the name of nas on laptop', async () => {
    const answer = await find();
    return answer?.name === 'nas' ? answer : undefined;
  });
  assert.deepEqual(
    [known.hops, known.followed, known.connected, known.lines],
    [1, true, true, 2],
    JSON.stringify(known),
  );
  const self = (await laptop.json<MachineAnswer[]>('machines')).find(({ id }) => id === laptop.id);
  assert.equal(self?.name, 'laptop');
  assert.equal(self?.hops, 0);
  assert.match((await laptop.must('machines')).text, /nas/);
});

test('connect answers with the address', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  assert.deepEqual(await laptop.json('connect', nas.address), { address: nas.address });
  await laptop.waitForPeer(nas);
});

test('status tells what runs, who is connected, and how much there is', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  const before = await laptop.status();
  assert.equal(before.daemon.running, false);
  assert.equal(before.id, laptop.id);
  assert.equal(before.name, 'laptop');

  await startAll(laptop, nas);
  await befriend(laptop, nas);
  await laptop.pipe('one\ntwo\n');
  await nas.pipe('three\n');
  await laptop.waitForLog(3);
  await laptop.waitForPeer(nas);
  const status = await laptop.status();
  assert.deepEqual(Object.keys(status).sort(), [
    'addresses',
    'daemon',
    'disk',
    'engine',
    'hold',
    'id',
    'lan',
    'lines',
    'machines',
    'messages',
    'name',
    'paused',
    'peers',
    'pending',
    'rekey',
    'replication',
    'spool',
    'waiting',
  ]);
  assert.equal(status.engine, TEST_ENGINE);
  assert.equal(status.daemon.running, true);
  assert.equal(status.daemon.pid, laptop.daemon.pid);
  assert.equal(typeof status.daemon.uptimeMs, 'number');
  assert.equal(status.lines, 3);
  assert.ok(status.messages > 3, 'contacts and names are messages too');
  assert.equal(status.machines, 2);
  assert.deepEqual(status.spool, { files: 0, lines: 0 });
  assert.ok(status.disk.bytes > 0);
  const peer = status.peers.find(({ id }) => id === nas.id);
  assert.deepEqual(Object.keys(peer ?? {}).sort(), ['address', 'direction', 'id', 'name', 'sinceMs', 'via']);
  assert.equal(peer?.via, 'user');
  assert.deepEqual(status.lan, { links: [], found: [] });
  const { text } = await laptop.must('status');
  assert.match(text, /nas/);
  assert.match(text, /^lines +the oldest .+ ago, the newest .+ ago/m);
  assert.match(text, /^disk +[\d.]+ [kM]?B \(.*store [\d.]+ [kM]?B/m);
});

test('pipe says nothing on stdout, and with --json how many lines it shipped', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  assert.equal((await laptop.pipe('one\n')).text, '');
  const answer = JSON.parse((await laptop.pipe('two\nthree\n', '--json')).text) as Record<string, unknown>;
  assert.deepEqual(Object.keys(answer).sort(), ['lines', 'published', 'run', 'spooled']);
  assert.equal(answer.lines, 2);
  assert.equal(answer.published, 2);
  assert.equal(answer.spooled, 0);
  const entries = await laptop.entries('--run', String(answer.run));
  assert.deepEqual(
    entries.map((entry) => entry.text),
    ['two', 'three'],
  );
});

test('pipe takes its labels from short flags too', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.pipe('x\n', '-s', 'my pc', '-d', 'the nas', '--job', 'nightly', '--level', 'notice');
  const [entry] = await laptop.entries();
  assert.deepEqual(
    [entry?.source, entry?.destination, entry?.job, entry?.level],
    ['my pc', 'the nas', 'nightly', 'notice'],
  );
  assert.match((await laptop.must('log')).text, /^\S+ \S+ \[my pc\] -> \[the nas\] x\n$/);
});

test('assemble writes what log prints into a file, in place of the one that was there', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const file = laptop.box.path('all.log');
  await laptop.pipe('one\n');
  for (const lines of [1, 2]) {
    if (lines === 2) await laptop.pipe('two\n');
    const { stdout } = await laptop.waitForLog(lines);
    const answer = await laptop.json<{ file: string; lines: number; ms: number }>('assemble', '-o', file, '--utc');
    assert.deepEqual([answer.file, answer.lines, typeof answer.ms], [file, lines, 'number']);
    assert.deepEqual(readFileSync(file), stdout);
  }
});

test('config shows each value and where it came from, and keeps secrets to itself', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const port = String(await freePort());
  const options = { env: { SSBLOG_PORT: port } };
  const file = laptop.path('config.json');
  const { hops: _, ...settings } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify(settings));
  for (const flags of [[], ['--json']]) {
    const { code, text } = await laptop.runWith(options, 'config', ...flags);
    assert.equal(code, 0);
    assert.ok(!text.includes(laptop.networkKey), 'the network key is masked');
    assert.match(text, new RegExp(port));
    assert.match(text, /laptop/);
    assert.match(text, /env/i, 'the port comes from the environment');
    assert.match(text, /file|config\.json/, 'the name comes from the file');
    assert.match(text, /default/, 'the hops come by default');
    if (flags.length > 0) JSON.parse(text);
  }
});

test('every setting may come from a flag, which wins over the environment', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const options = { env: { SSBLOG_HOPS: '2', SSBLOG_NAME: 'from-environment' } };
  const { text } = await laptop.runWith(options, 'config', '--hops', '4');
  assert.match(text, /hops\W+4\b/);
  assert.match(text, /from-environment/);
  const { text: whoami } = await laptop.runWith(options, 'whoami', '--json');
  assert.equal((JSON.parse(whoami) as { name: string }).name, 'from-environment');
});

test('stop asks the daemon to stop and waits for it', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const { daemon } = laptop;
  await laptop.must('stop');
  assert.deepEqual(await daemon.exit, { code: 0, signal: null });
  assert.equal((await laptop.status()).daemon.running, false);
  await laptop.start();
  assert.equal((await laptop.status()).daemon.running, true);
});

test('start writes the manifest that stock clients want', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const manifest = JSON.parse(readFileSync(laptop.path('manifest.json'), 'utf8')) as Record<string, unknown>;
  assert.equal(manifest.publish, 'async');
  assert.equal(manifest.createLogStream, 'source');
});

test('everything secret on disk is closed to other users while the daemon runs', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  await laptop.pipe('a line\n');
  assert.equal(mode(laptop.dir), 0o700);
  assert.equal(mode(laptop.path('secret')), 0o400);
  assert.equal(mode(laptop.path('config.json')), 0o600);
});

test('a machine in a very long directory works as any other', async (t) => {
  const box = sandbox(t);
  const deep = box.path(...Array.from({ length: 12 }, () => 'a-long-name-of-a-directory'));
  const port = String(await freePort());
  const init = ['init', '--path', deep, '--name', 'deep', '--network-key', randomNetworkKey(), '--port', port];
  assert.equal((await box.ssblog(init)).code, 0);
  const daemon = box.spawnSsblog(['start', '--path', deep]);
  await daemon.waitForOutput('stderr', /listening/);
  const pipe = await box.ssblog(['pipe', '--path', deep, '--json'], { input: 'from the deep\n' });
  assert.equal(pipe.code, 0, pipe.stderr);
  const log = await box.ssblog(['log', '--path', deep]);
  assert.match(log.text, /\[deep\] from the deep\n$/);
  daemon.kill('SIGTERM');
  assert.equal((await daemon.done()).code, 0);
});

test('no verb leaves anything in the temporary directory', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const scratch = mkdtempSync(laptop.box.path('tmp-'));
  const env = { TMPDIR: scratch };
  await laptop.start();
  for (const verb of [['status'], ['machines'], ['whoami'], ['log'], ['pipe']]) {
    assert.equal((await laptop.runWith({ env, input: 'a line\n' }, ...verb)).code, 0);
  }
  assert.equal(await laptop.stop(), 0);
  assert.equal((await laptop.runWith({ env, input: 'another\n' }, 'pipe')).code, 0);
  assert.deepEqual(readdirSync(scratch), []);
});
