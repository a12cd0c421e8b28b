import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { befriend, link, type Machine, network, startAll } from '../helpers/machine.ts';
import { waitFor } from '../helpers/wait-for.ts';

interface Progress {
  readonly changedMs: number | null;
  readonly oldUntilMs: number | null;
  readonly confirmed: readonly { readonly name: string | null }[];
  readonly waiting: readonly { readonly name: string | null }[];
  readonly shutOut: readonly { readonly name: string | null }[];
}

function keyOf(machine: Machine): string {
  return (JSON.parse(readFileSync(machine.path('config.json'), 'utf8')) as { networkKey: string }).networkKey;
}

async function waitForKey(machine: Machine, key: string): Promise<void> {
  await waitFor(`${machine.name} to take the new key over`, async () => keyOf(machine) === key, {
    detail: () => machine.said,
  });
}

async function waitForConfirmed(machine: Machine, ...names: string[]): Promise<Progress> {
  return waitFor(
    `${machine.name} to meet ${names} under the new key`,
    async () => {
      const progress = await machine.json<Progress>('rekey', '--status');
      const confirmed = new Set(progress.confirmed.map(({ name }) => name));
      return names.every((name) => confirmed.has(name)) ? progress : undefined;
    },
    { detail: () => machine.said },
  );
}

function saysNoKey(machine: Machine, ...keys: string[]): void {
  for (const key of keys) assert.ok(!machine.said.includes(key), `${machine.name} prints a key`);
}

test('a new key reaches all machines but a blocked one, also who was away, through another machine', async (t) => {
  const [laptop, nas, vps, stolen] = await network(t, 'laptop', 'nas', 'vps', 'stolen');
  await startAll(laptop, nas, vps, stolen);
  await befriend(nas, laptop);
  await befriend(vps, nas); // laptop and vps never meet
  await befriend(stolen, laptop);
  await befriend(stolen, nas); // nas goes on following it
  for (const machine of [nas, vps, stolen]) await machine.waitForPeer(machine === vps ? nas : laptop);
  await laptop.pipe('before\n');
  await stolen.waitForLog(1);
  await vps.waitForLog(1);
  await vps.stop();

  const before = keyOf(laptop);
  await laptop.must('block', stolen.id);
  const answer = await laptop.must('rekey', '--grace', '1h');
  const key = keyOf(laptop);
  assert.notEqual(key, before);
  assert.ok(!answer.text.includes(key) && !answer.stderr.includes(key));
  for (const file of ['config.json', 'rekey.json']) assert.equal(statSync(laptop.path(file)).mode & 0o777, 0o600);
  await waitForKey(nas, key);
  const progress = await waitForConfirmed(laptop, 'nas');
  assert.deepEqual(
    progress.shutOut.map(({ name }) => name),
    ['stolen'],
  );
  assert.ok((progress.oldUntilMs ?? 0) > Date.now());

  // It comes back with the old key, and only nas is there.
  await laptop.stop();
  await vps.start();
  await waitForKey(vps, key);
  await waitForConfirmed(nas, 'vps');
  await laptop.start();
  await laptop.pipe('after\n');
  await vps.waitForLog(2);

  // It knows the old key, which both still accept, and nas follows it.
  assert.match((await stolen.must('connect', nas.address)).stderr, /refused the handshake/);
  assert.equal(keyOf(stolen), before);
  assert.equal(
    (await nas.status()).peers.some(({ id }) => id === stolen.id),
    false,
  );
  assert.equal((await stolen.must('log')).text.includes('after'), false);
  for (const machine of [laptop, nas, vps, stolen]) saysNoKey(machine, key, before);
  assert.match((await vps.must('status')).text, /network key +changed .* by laptop/);
  assert.equal((await vps.must('status', '--json')).text.includes(key), false);
});

test('when the time of the old key is over, or was ended, it is refused', async (t) => {
  const [laptop, nas, late] = await network(t, 'laptop', 'nas', 'late');
  await startAll(laptop, nas, late);
  await befriend(nas, laptop);
  await befriend(late, laptop);
  for (const machine of [nas, late]) await machine.waitForPeer(laptop);
  await late.stop();
  await laptop.must('rekey');
  await waitForKey(nas, keyOf(laptop));
  await waitForConfirmed(laptop, 'nas');
  const before = await laptop.json<Progress>('rekey', '--status');
  assert.deepEqual(
    before.waiting.map(({ name }) => name),
    ['late'],
  );
  await laptop.must('rekey', '--now');
  await waitFor('nas to hear that it is over', async () => {
    return (await nas.json<Progress>('rekey', '--status')).oldUntilMs === null;
  });
  await late.start();
  assert.match((await late.must('connect', laptop.address)).stderr, /another network key/);
  assert.notEqual(keyOf(late), keyOf(laptop));
});

test('an announcement that was here before its author was followed is found', async (t) => {
  const [laptop, nas, desk] = await network(t, 'laptop', 'nas', 'desk');
  await startAll(laptop, nas, desk);
  await befriend(nas, laptop);
  await laptop.must('follow', desk.id);
  await link(desk, nas); // nas does not follow it, so it passes nothing on
  await desk.waitForPeer(nas);
  await laptop.must('rekey');
  const key = keyOf(laptop);
  await waitForKey(nas, key);
  await laptop.pipe('after the announcement\n');
  await desk.waitForLog(1);
  assert.notEqual(keyOf(desk), key);
  await desk.must('follow', laptop.id);
  await waitForKey(desk, key);
  await waitForConfirmed(nas, 'desk');
});

test('daemons that are killed while a key changes end with one key, and two changes at one time as well', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await befriend(nas, laptop);
  await nas.waitForPeer(laptop);
  const first = keyOf(laptop);
  const change = laptop.spawn('rekey');
  await waitFor(
    'the key to be on the disk',
    async () => statSync(laptop.path('rekey.json'), { throwIfNoEntry: false }),
    {
      everyMs: 1,
    },
  );
  await Promise.all([laptop.kill9(), nas.kill9()]);
  await change.done();
  // Both change it while they cannot hear each other; nas may have the first change or not.
  await nas.must('rekey');
  await laptop.must('rekey');
  await startAll(laptop, nas);
  await waitFor('both to have one key', async () => keyOf(laptop) === keyOf(nas) && keyOf(nas) !== first, {
    detail: () => `${laptop.said}\n${nas.said}`,
  });
  await waitForConfirmed(nas, 'laptop');
  await laptop.pipe('one network\n');
  await nas.waitForLog(1);
});

test('rekey says what is wrong with what it is asked for', async (t) => {
  const [laptop] = await network(t, 'laptop');
  for (const [args, says] of [
    [['--grace', 'soon'], /--grace must be a time/],
    [['--grace', '0s'], /--grace must be a time/],
    [['--grace', '1h', '--now'], /--grace and --now do not go together/],
    [['--now'], /never changed/],
  ] as const) {
    const result = await laptop.run('rekey', ...args);
    assert.equal(result.code, 2, result.stderr);
    assert.match(result.stderr, says);
  }
  assert.match((await laptop.must('rekey', '--status')).text, /never changed/);
});
