/**
 * Twenty machines as somebody has them at home: one gives a code, all others join with it, and then they find each
 * other on the LAN (here loopback), where each is connected with each.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { freePort } from '../helpers/free-port.ts';
import { assertSameBytes } from '../helpers/log-text.ts';
import { Machine } from '../helpers/machine.ts';
import { countConnections, readMemory } from '../helpers/proc.ts';
import { Sandbox } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

const MACHINES = 20;
const LINKS = (MACHINES * (MACHINES - 1)) / 2;
/** Processes that are started at once: more would only wait for a processor. */
const AT_ONCE = 4;

test('a line from any of twenty machines reaches all, and their logs are equal', async (t) => {
  const box = new Sandbox({ env: { SSBLOG_LAN: 'true' } });
  t.after(() => box.close());
  const tell = stopwatch(t);
  const first = await Machine.make(box, 'm1');
  await first.start();
  const { code } = await first.json<{ code: string }>('invite', '--uses', String(MACHINES - 1));
  const others = Array.from({ length: MACHINES - 1 }, (_, index) => `m${index + 2}`);
  const machines = [first, ...(await inTurns(others, (name) => joinAndStart(box, name, code)))];
  tell('all have joined and run');
  await inTurns(machines, (machine) => machine.pipe(`a line of ${machine.name}\n`));
  tell('each has a line');
  for (const machine of machines) await waitForLines(machine, MACHINES);
  tell('all have all lines');
  // From both sides.
  const connections = () => machines.map(({ daemon }) => countConnections(daemon.pid ?? 0));
  await waitFor('each to be connected with each', () => sum(connections()) === 2 * LINKS, {
    detail: () => `connections: ${connections().join(' ')}`,
  });
  tell('each is connected with each');
  const memory = machines.map(({ daemon }) => (readMemory(daemon.pid ?? 0)?.residentBytes ?? 0) / 1e6);
  t.diagnostic(`connections: ${connections()[0]} of each machine, ${LINKS} together`);
  t.diagnostic(`memory: ${Math.max(...memory).toFixed()} MB at most, ${sum(memory).toFixed()} MB together`);
  const logs = await inTurns(machines, (machine) => machine.must('log', '--utc'));
  for (const { name } of machines) assert.match(logs[0]?.text ?? '', new RegExp(` a line of ${name}$`, 'm'));
  for (const [index, { stdout }] of logs.entries()) {
    assertSameBytes(stdout, logs[0]?.stdout ?? Buffer.alloc(0), `the logs of m1 and m${index + 1}`);
  }
  tell('all logs are read');
  for (const { daemon } of machines) daemon.kill('SIGTERM');
  for (const { name, daemon, said } of machines) assert.equal((await daemon.done()).code, 0, `${name}:\n${said}`);
  tell('all have ended');
});

async function joinAndStart(box: Sandbox, name: string, code: string): Promise<Machine> {
  const place = ['--path', box.path(name), '--name', name, '--port', String(await freePort())];
  const result = await box.ssblog(['join', code, ...place, '--json']);
  assert.equal(result.code, 0, result.stderr);
  const machine = Machine.at(box, JSON.parse(result.text));
  await machine.start();
  return machine;
}

/** By the database itself: a process for each look would take more time than what is measured. */
async function waitForLines({ dir, name, box }: Machine, lines: number): Promise<void> {
  assert.ok(dir.startsWith(box.dir));
  const database = new DatabaseSync(join(dir, 'store.db'), { readOnly: true });
  try {
    const count = database.prepare('SELECT coalesce(sum(lines), 0) AS count FROM log_messages');
    const seen = () => (count.get() as { count: number }).count;
    await waitFor(`${lines} lines on ${name}`, () => seen() >= lines, { everyMs: 20, detail: () => `${seen()} lines` });
  } finally {
    database.close();
  }
}

async function inTurns<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = [...items.entries()];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) results[next[0]] = await call(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

function stopwatch(t: TestContext): (what: string) => void {
  const startedMs = Date.now();
  let lastMs = startedMs;
  return (what) => {
    const nowMs = Date.now();
    t.diagnostic(`${what} after ${nowMs - startedMs} ms (${nowMs - lastMs} ms after the last)`);
    lastMs = nowMs;
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
