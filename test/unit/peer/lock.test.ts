import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { machinePaths } from '../../../src/config/paths.ts';
import { takeLock } from '../../../src/peer/lock.ts';

function paths(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-lock-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return machinePaths(dir);
}

test('a second holder is refused until the first lets go', (t) => {
  const machine = paths(t);
  const lock = takeLock(machine);
  assert.throws(() => takeLock(machine), { code: 'locked', exitCode: 1 });
  lock.close();
  lock.close();
  takeLock(machine).close();
});

test('the lock of a process that was killed is free', async (t) => {
  const machine = paths(t);
  const code = `
    const { takeLock } = await import(${JSON.stringify(new URL('../../../src/peer/lock.ts', import.meta.url).href)});
    takeLock({ lock: ${JSON.stringify(machine.lock)} });
    console.log('held');
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  assert.throws(() => takeLock(machine), { code: 'locked' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  takeLock(machine).close();
});

test('nothing is ever written to its file, and damage to it does no harm', (t) => {
  const machine = paths(t);
  takeLock(machine).close();
  assert.equal(statSync(machine.lock).mode & 0o777, 0o600);
  writeFileSync(machine.lock, 'garbage '.repeat(1000));
  const lock = takeLock(machine);
  assert.throws(() => takeLock(machine), { code: 'locked' });
  lock.close();
  assert.equal(readFileSync(machine.lock, 'utf8'), '');
});

test('a directory that cannot be written is said', (t) => {
  const machine = paths(t);
  assert.throws(() => takeLock({ ...machine, lock: join(machine.dir, 'missing', 'lock') }), { code: 'io' });
});
