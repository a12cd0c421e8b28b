/** A machine of the engine ssb-server becomes one of the engine sqlite, and stays what it is to all others. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { befriend, Machine, randomNetworkKey } from '../helpers/machine.ts';
import { assertRefused } from '../helpers/refusal.ts';
import { sandbox } from '../helpers/sandbox.ts';
import { stockMessages } from '../helpers/stock.ts';

const LINES = Array.from({ length: 300 }, (_, index) => `line ${index}\n`).join('');

test('the feeds of an ssb-server are taken over, message by message, and replication goes on', async (t) => {
  const box = sandbox(t);
  const old = await Machine.make(box, 'old', randomNetworkKey(), 'ssb-server');
  const other = await Machine.make(box, 'other', old.networkKey);
  await Promise.all([old.start(), other.start()]);
  await befriend(old, other);
  await old.pipe(LINES, '--no-blocks');
  await other.pipe('from the other\n');
  const logBefore = await old.waitForLog(301);
  const messagesBefore = await stockMessages(old);

  assertRefused(await old.run('engine', 'sqlite'), { exitCode: 1, says: /stop/ });
  assert.equal(await old.stop(), 0);
  const { engine, messages } = await old.json<{ engine: string; messages: number }>('engine', 'sqlite');
  assert.equal(engine, 'sqlite');
  assert.equal(messages, messagesBefore.length);
  assert.ok(existsSync(old.path('flume.old')));
  assert.ok(!existsSync(old.path('flume')));

  await old.start();
  assert.equal((await old.status()).engine, 'sqlite');
  assert.equal((await old.waitForLog(301)).text, logBefore.text);
  const byKey = (messages: Awaited<ReturnType<typeof stockMessages>>) =>
    new Map(messages.map(({ key, value }) => [key, value]));
  assert.deepEqual(byKey(await stockMessages(old)), byKey(messagesBefore));
  await old.pipe('from the new engine\n');
  await other.waitForLog(302);

  // Once more changes nothing.
  assert.equal(await old.stop(), 0);
  assert.equal((await old.json<{ messages: number }>('engine', 'sqlite')).messages, messages + 1);
});

test('neither engine works on feeds that the other keeps', async (t) => {
  const box = sandbox(t);
  const flume = await Machine.make(box, 'flume', randomNetworkKey(), 'ssb-server');
  await flume.pipe('one\n');
  const env = { SSBLOG_ENGINE: 'sqlite' };
  assertRefused(await flume.runWith({ env, input: '' }, 'start'), { exitCode: 1, says: /ssblog engine sqlite/ });

  const record = await Machine.make(box, 'record', randomNetworkKey(), 'sqlite');
  await record.pipe('one\n');
  const back = await record.runWith({ env: { SSBLOG_ENGINE: 'ssb-server' }, input: '' }, 'start');
  assertRefused(back, { exitCode: 1, says: /"sqlite"/ });
  assert.match((await record.must('log')).text, /one/);
});

test('a message that was forged on the disk stops it, and the machine is what it was', async (t) => {
  const box = sandbox(t);
  const old = await Machine.make(box, 'old', randomNetworkKey(), 'ssb-server');
  await old.pipe('genuine line\n');
  await old.must('log');
  const { DatabaseSync } = await import('@photostructure/sqlite');
  const db = new DatabaseSync(old.path('store.db'));
  db.exec(`UPDATE messages SET value = replace(value, 'genuine', 'changed')`);
  db.close();
  assertRefused(await old.run('engine', 'sqlite'), { exitCode: 1, says: /invalid signature/ });
  assert.ok(existsSync(old.path('flume')));
  assert.match((await old.must('config')).text, /engine\s+ssb-server/);
  renameSync(old.path('store.db'), old.path('damaged.db'));
  await old.must('engine', 'sqlite');
  assert.match((await old.must('log')).text, /genuine line/);
});

const LOSSES: Readonly<Record<string, (file: string) => void>> = {
  'is damaged': (file) => {
    const store = openSync(file, 'r+');
    writeSync(store, Buffer.alloc(100, 'x'), 0, 100, 0);
    closeSync(store);
  },
  'is deleted': (file) => rmSync(file),
  'is cut to nothing': (file) => writeFileSync(file, ''),
};

for (const [what, lose] of Object.entries(LOSSES)) {
  test(`a record that ${what} is left as it is by all but start: they say so, and a backup in its place mends it`, async (t) => {
    const box = sandbox(t);
    const machine = await Machine.make(box, 'machine', randomNetworkKey(), 'sqlite');
    await machine.pipe('a line\n');
    const file = machine.path('store.db');
    const backup = readFileSync(file);
    lose(file);
    const read = () => (existsSync(file) ? readFileSync(file) : undefined);
    const lost = read();
    for (const verb of [['log'], ['status']]) {
      assertRefused(await machine.runWith({ input: '' }, ...verb), { exitCode: 1, says: /damaged|gone/ });
    }
    const piped = await machine.runWith({ input: 'kept in the spool\n' }, 'pipe');
    assert.equal(piped.code, 0, piped.stderr);
    assert.match(piped.stderr, /damaged|gone/);
    assert.deepEqual(read(), lost, 'it is left as it was');

    writeFileSync(file, backup);
    await machine.start();
    assert.match((await machine.waitForLog(2)).text, /a line\n.*kept in the spool\n$/);
  });
}
