import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { freePort } from '../helpers/free-port.ts';
import { link, Machine, network, randomNetworkKey, startAll } from '../helpers/machine.ts';
import type { Result } from '../helpers/running.ts';
import type { Sandbox } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

interface Listed {
  readonly id: string;
  readonly name: string | null;
  readonly followed: boolean;
  readonly blocked: boolean;
  readonly connected: boolean;
}

interface JoinStatus {
  readonly waiting: readonly { readonly name: string; readonly failure: { readonly code: string } | null }[];
}

async function codeOf(machine: Machine, ...flags: string[]): Promise<string> {
  return (await machine.json<{ code: string }>('invite', ...flags)).code;
}

/** `join` in a directory of its own, as somebody types it on a new machine. */
async function join(box: Sandbox, name: string, code: string): Promise<Result> {
  return box.ssblog([
    'join',
    code,
    '--path',
    box.path(name),
    '--name',
    name,
    '--port',
    String(await freePort()),
    '--json',
  ]);
}

async function joined(box: Sandbox, name: string, code: string): Promise<Machine> {
  const result = await join(box, name, code);
  assert.equal(result.code, 0, result.stderr);
  return Machine.at(box, JSON.parse(result.text));
}

async function listed(machine: Machine, other: { id: string }): Promise<Listed | undefined> {
  return (await machine.json<Listed[]>('machines')).find(({ id }) => id === other.id);
}

async function waitUntilFollowed(machine: Machine, other: Machine): Promise<void> {
  await waitFor(`${machine.name} to follow ${other.name}`, async () => (await listed(machine, other))?.followed, {
    detail: () => machine.said,
  });
}

function refusalCode({ stderr }: Result): string {
  const line = stderr.split('\n').find((text) => text.startsWith('{"error"'));
  return (JSON.parse(line ?? '{"error":{"code":"none"}}') as { error: { code: string } }).error.code;
}

async function laptopAlone(t: TestContext): Promise<Machine> {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  return laptop;
}

test('one code makes a second machine: both follow each other, know their names and share their lines', async (t) => {
  const laptop = await laptopAlone(t);
  await laptop.pipe('from the laptop\n');
  const code = await codeOf(laptop);
  const nas = await joined(laptop.box, 'nas', code);
  assert.equal(nas.networkKey, laptop.networkKey);
  for (const [machine, other] of [
    [laptop, nas],
    [nas, laptop],
  ] as const) {
    const entry = await listed(machine, other);
    assert.equal(entry?.followed, true);
    assert.equal(entry?.name, other.name);
  }
  assert.equal(statSync(laptop.path('invites.json')).mode & 0o777, 0o600);
  // A second time it does no harm, with the daemon and without.
  assert.equal((await nas.json<{ joined: boolean }>('join', code)).joined, true);
  await nas.start();
  assert.equal((await nas.json<{ joined: boolean }>('join', code)).joined, true);
  await nas.pipe('from the nas\n');
  await nas.waitForLog(2);
  await laptop.waitForLog(2);
  const [invite] = await laptop.json<{ usesLeft: number }[]>('invite', '--list');
  assert.equal(invite, undefined);
});

test('a code that is used up, expired, taken back or mistyped is refused in its own words, and status keeps them', async (t) => {
  const laptop = await laptopAlone(t);
  const { box } = laptop;
  const twice = await codeOf(laptop, '--uses', '2');
  await joined(box, 'nas', twice);
  await joined(box, 'desk', twice);
  const expired = await codeOf(laptop, '--expires', '1s');
  const revoked = await codeOf(laptop);
  const invites = await laptop.json<{ id: string; expiresMs: number }[]>('invite', '--list');
  await laptop.must('invite', '--revoke', invites.at(-1)?.id ?? '');
  await waitFor('the invite to expire', async () => (await laptop.json<object[]>('invite', '--list')).length === 0);
  for (const [name, code, refusal, says] of [
    ['late', twice, 'invite-used', /used up/],
    ['later', expired, 'invite-expired', /expired/],
    ['latest', revoked, 'invite-unknown', /not known/],
  ] as const) {
    const result = await join(box, name, code);
    assert.equal(result.code, 1);
    assert.equal(refusalCode(result), refusal);
    const status = await box.ssblog(['status', '--path', box.path(name), '--json']);
    assert.equal((JSON.parse(status.text) as JoinStatus).waiting[0]?.failure?.code, refusal);
    assert.match((await box.ssblog(['status', '--path', box.path(name)])).text, says);
  }
  const mistyped = await join(box, 'typo', `${twice.slice(0, 40)}${twice[40] === 'x' ? 'y' : 'x'}${twice.slice(41)}`);
  assert.equal(mistyped.code, 2);
  assert.equal(refusalCode(mistyped), 'code');
  assert.equal(statSync(box.path('typo'), { throwIfNoEntry: false }), undefined);
  const followed = (await laptop.json<Listed[]>('machines')).filter((machine) => machine.followed);
  assert.deepEqual(followed.map(({ name }) => name).sort(), ['desk', 'nas']);
});

test('a code of a machine that is away is kept: the daemon redeems it when they meet, kill -9 or not', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const { box } = laptop;
  const code = await codeOf(laptop); // no daemon runs
  const nas = await joined(box, 'nas', code);
  assert.match((await nas.must('status')).text, /waiting for laptop/);
  await nas.start();
  await nas.kill9();
  await nas.start();
  assert.equal((await nas.json<JoinStatus>('status')).waiting[0]?.name, 'laptop');
  await laptop.start();
  await waitUntilFollowed(laptop, nas);
  await waitFor('nas to wait no more', async () => (await nas.json<JoinStatus>('status')).waiting.length === 0);
  await laptop.pipe('hello\n');
  await nas.waitForLog(1);
});

test('a join that is killed at any moment goes on at the next one, and is counted once', async (t) => {
  const laptop = await laptopAlone(t);
  const { box } = laptop;
  const code = await codeOf(laptop);
  const port = String(await freePort());
  const args = ['join', code, '--path', box.path('nas'), '--name', 'nas', '--port', port, '--json'];
  // Killed when its directory is there, when the invite is kept, when it is used.
  const moments = [
    () => statSync(box.path('nas', 'config.json'), { throwIfNoEntry: false }) !== undefined,
    () => statSync(box.path('nas', 'joining.json'), { throwIfNoEntry: false }) !== undefined,
    async () => (await laptop.json<object[]>('invite', '--list')).length === 0,
  ];
  for (const moment of moments) {
    const running = box.spawnSsblog(args);
    await waitFor('the moment to kill it', moment, { everyMs: 1, detail: () => running.result.stderr });
    running.kill('SIGKILL');
    await running.done();
  }
  const nas = await joined(box, 'nas', code);
  assert.equal((await nas.json<JoinStatus>('status')).waiting.length, 0);
  assert.equal((await listed(laptop, nas))?.followed, true);
});

test('a machine of another network does not join, nor does the inviter itself', async (t) => {
  const laptop = await laptopAlone(t);
  const code = await codeOf(laptop);
  const other = await Machine.make(laptop.box, 'other', randomNetworkKey());
  const refused = await other.run('join', code, '--json');
  assert.equal(refused.code, 2);
  assert.equal(refusalCode(refused), 'other-network');
  assert.equal((await laptop.run('join', code)).code, 2);
});

test('a code from before the network key was changed says what may be wrong with it', async (t) => {
  const laptop = await laptopAlone(t);
  const code = await codeOf(laptop);
  await laptop.must('rekey');
  const result = await laptop.box.ssblog(['join', '--path', laptop.box.path('late'), '--name', 'late', code]);
  assert.equal(result.code, 0);
  assert.match(result.stderr, /the handshake is refused: when its network key was changed .* ask for a new join code/);
});

test('who joins a second time with a code that is used up is told so once', async (t) => {
  const laptop = await laptopAlone(t);
  const code = await codeOf(laptop);
  await joined(laptop.box, 'nas', code);
  for (const attempt of ['first', 'second']) {
    const { stderr } = await laptop.box.ssblog(['join', '--path', laptop.box.path('late'), '--name', 'late', code]);
    assert.equal(stderr.match(/used up/g)?.length, 1, `${attempt}: ${stderr}`);
  }
});

test('a machine that is not followed knocks, and is followed by its name', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await link(nas, laptop);
  const pending = await waitFor('nas to knock', async () => {
    const knocks = await laptop.json<{ id: string; name: string | null; address: string }[]>('machines', '--pending');
    return knocks.find(({ name }) => name === 'nas');
  });
  assert.equal(pending.id, nas.id);
  assert.match(pending.address, /^net:127\.0\.0\.1:/);
  // Feeds that nobody follows are not stored.
  await nas.pipe('a line\n');
  assert.equal((await laptop.status()).machines, 1);
  await laptop.must('follow', 'nas');
  await laptop.waitForLog(1);
  assert.deepEqual(await laptop.json('machines', '--pending'), []);
  assert.equal((await laptop.run('follow', 'nobody')).code, 2);
  assert.equal((await laptop.must('follow', nas.id.slice(1, 9))).code, 0);
});

test('who is blocked is hung up on, refused and no longer replicated, until it is followed again', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await laptop.must('follow', nas.id);
  await link(nas, laptop);
  await nas.pipe('before\n');
  await laptop.pipe('mine, before\n');
  await laptop.waitForLog(2);
  await nas.waitForLog(2);
  await laptop.must('block', 'nas');
  await waitFor('the connection to end', async () => (await laptop.status()).peers.length === 0);
  assert.equal((await listed(laptop, nas))?.blocked, true);
  await nas.pipe('after\n');
  await laptop.pipe('mine, after\n');
  const dialled = await laptop.must('connect', nas.address);
  assert.match(dialled.stderr, /blocks it/);
  const refused = await nas.must('connect', laptop.address);
  assert.doesNotMatch(refused.stderr, /ssblog: connected/);
  assert.equal((await nas.status()).peers.length, 0);
  assert.equal((await laptop.entries()).length, 3);
  assert.equal((await nas.entries()).length, 3);
  await laptop.must('follow', 'nas');
  await laptop.waitForLog(4);
  await nas.waitForLog(4);
});

test('with access: followed, a member of the network gets nothing until it is followed', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  laptop.setEnvironment({ SSBLOG_ACCESS: 'followed' });
  await startAll(laptop, nas);
  await laptop.pipe('for followed machines\n');
  await link(nas, laptop);
  await nas.waitForPeer(laptop);
  await waitFor('nas to knock', async () => (await laptop.json<object[]>('machines', '--pending')).length === 1);
  assert.equal((await nas.status()).lines, 0);
  // The other way round as well: who is dialled gets nothing either.
  await laptop.must('connect', nas.address);
  assert.equal((await nas.status()).lines, 0);
  await laptop.must('follow', 'nas');
  await nas.waitForLog(1);
  await laptop.must('unfollow', 'nas');
  await laptop.pipe('not for nas\n');
  await nas.waitForPeer(laptop);
  await nas.pipe('a sign\n');
  await nas.waitForLog(2);
  assert.equal((await nas.status()).lines, 2);
  assert.equal((await laptop.status()).lines, 2);
});

interface Received {
  readonly has: { readonly sequence: number; readonly at: number | null } | null;
  readonly lacks: { readonly messages: number; readonly lines: number } | null;
}

test('machines tells how far another machine has the lines of this one, its daemon running or not', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await laptop.must('follow', nas.id);
  await link(nas, laptop);
  await laptop.pipe('one\ntwo\n');
  await nas.waitForLog(2);
  const receipt = async () => (await listed(laptop, nas)) as (Listed & Received) | undefined;
  const [, two] = await laptop.entries();
  await waitFor('nas to say that it has all', async () => (await receipt())?.lacks?.messages === 0);
  assert.deepEqual((await receipt())?.has, { sequence: two?.sequence, at: Number(new Date(two?.at ?? 0)) });
  await nas.stop();
  await laptop.pipe('three\nfour\nfive\n');
  assert.deepEqual((await receipt())?.lacks, { messages: 3, lines: 3 });
  assert.equal((await receipt())?.has?.sequence, two?.sequence);
  await laptop.stop();
  assert.deepEqual((await receipt())?.lacks, { messages: 3, lines: 3 });
  assert.match((await laptop.must('machines')).text, /up to \d\d:\d\d:\d\d, lacks 3 lines/);
});
