import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { InviteBook, readInvitedNames } from '../../../../src/peer/invites/book.ts';
import { PendingInvites, readInviterNames, readWaiting } from '../../../../src/peer/invites/pending.ts';
import { TryLimit } from '../../../../src/peer/invites/try-limit.ts';

const NOW = 1_795_000_000_000;

function machine(name: string): { id: string; name: string } {
  return { id: `@${randomBytes(32).toString('base64')}.ed25519`, name };
}

function fixture(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const clock = { ms: NOW };
  const file = join(dir, 'invites.json');
  return { dir, file, clock, open: () => new InviteBook({ file, now: () => clock.ms }) };
}

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

test('an invite is used as often as it says, and a machine that asks again is not counted again', (t) => {
  const { open, file } = fixture(t);
  const { secret } = open().add(2, null);
  const [nas, desk, late] = [machine('nas'), machine('desk'), machine('late')];
  assert.deepEqual(open().use(secret, nas), { isFollowed: false });
  // Each in a process of its own: what was counted is on the disk.
  assert.equal(open().use(secret, nas).isFollowed, false);
  open().followed(secret, nas.id);
  assert.equal(open().use(secret, nas).isFollowed, true);
  assert.equal(open().list()[0]?.usesLeft, 1);
  open().use(secret, desk);
  assert.throws(() => open().use(secret, late), code('invite-used'));
  assert.equal(open().use(secret, desk).isFollowed, false);
  assert.deepEqual(open().list(), []);
  assert.deepEqual(
    readInvitedNames(file),
    new Map([
      [nas.id, 'nas'],
      [desk.id, 'desk'],
    ]),
  );
});

test('an invite ends at its time, but not for who has used it', (t) => {
  const { open, clock } = fixture(t);
  const { secret } = open().add(5, 1_000);
  const nas = machine('nas');
  open().use(secret, nas);
  clock.ms += 1_000;
  assert.throws(() => open().use(secret, machine('late')), code('invite-expired'));
  assert.equal(open().use(secret, nas).isFollowed, false);
});

test('an invite that was never given, or was taken back, is unknown', (t) => {
  const { open } = fixture(t);
  assert.throws(() => open().use(randomBytes(16), machine('nas')), code('invite-unknown'));
  const { id, secret } = open().add(1, null);
  assert.equal(open().revoke('00000000'), false);
  assert.equal(open().revoke(id), true);
  assert.throws(() => open().use(secret, machine('nas')), code('invite-unknown'));
});

test('the file holds no secret, is for its owner only, and the number of open invites has an end', (t) => {
  const { open, file } = fixture(t);
  const book = open();
  const { secret } = book.add(1, null);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const text = readFileSync(file, 'utf8');
  for (const form of ['hex', 'base64', 'base64url'] as const) assert.ok(!text.includes(secret.toString(form)));
  for (let count = 1; count < 100; count++) book.add(1, null);
  assert.throws(() => book.add(1, null), code('usage'));
  book.use(secret, machine('nas'));
  book.add(1, null);
});

test('what a machine waits for survives its process; a refusal stays to be told, a success leaves the name', (t) => {
  const { dir } = fixture(t);
  const file = join(dir, 'joining.json');
  const [laptop, nas] = [machine('laptop'), machine('nas')];
  const add = ({ id, name }: typeof laptop) =>
    new PendingInvites(file).add({ id, name, secret: randomBytes(16).toString('base64'), sinceMs: NOW });
  add(laptop);
  add(nas);
  add(laptop);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(
    readWaiting(file).map(({ name }) => name),
    ['nas', 'laptop'],
  );
  const failure = { code: 'invite-used', message: 'used' };
  new PendingInvites(file).failed(nas.id, failure);
  assert.equal(new PendingInvites(file).open(nas.id), undefined);
  assert.deepEqual(readWaiting(file)[0]?.failure, failure);
  const { secret = '' } = new PendingInvites(file).open(laptop.id) ?? {};
  new PendingInvites(file).redeemed(laptop.id);
  assert.deepEqual(
    readWaiting(file).map(({ name }) => name),
    ['nas'],
  );
  assert.equal(readInviterNames(file).get(laptop.id), 'laptop');
  assert.ok(secret.length > 0 && !readFileSync(file, 'utf8').includes(secret));
});

test('who guesses has to wait, then everybody has', () => {
  let now = NOW;
  const limit = new TryLimit(() => now);
  const fail = (id: string) => {
    limit.check(id);
    limit.failed(id);
  };
  for (let count = 0; count < 10; count++) fail('@one');
  assert.throws(() => limit.check('@one'), code('busy'));
  for (let count = 0; count < 90; count++) fail(`@${count}`);
  assert.throws(() => limit.check('@another'), code('busy'));
  now += 60_000;
  limit.check('@one');
});
