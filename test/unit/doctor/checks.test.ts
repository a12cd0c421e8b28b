/** Checks whose findings are hard to bring about on a whole machine. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkClock } from '../../../src/doctor/checks/clock.ts';
import { checkCrypto } from '../../../src/doctor/checks/crypto.ts';
import { checkDisk } from '../../../src/doctor/checks/disk.ts';
import { checkEngine } from '../../../src/doctor/checks/engine.ts';
import { checkLeftovers } from '../../../src/doctor/checks/leftovers.ts';
import { checkPort } from '../../../src/doctor/checks/port.ts';
import { checkReplication } from '../../../src/doctor/checks/replication.ts';
import { checkSpool } from '../../../src/doctor/checks/spool.ts';
import { checkUnreadable } from '../../../src/doctor/checks/unreadable.ts';
import { checkWal } from '../../../src/doctor/checks/wal.ts';
import { type DaemonState, isOpen } from '../../../src/doctor/finding.ts';
import { removeLeftovers } from '../../../src/doctor/repairs/leftovers.ts';
import { FakeFeed } from '../store/fake-feed.ts';
import { codes, file, freshMachine, NOW_MS } from './machine.ts';

const GIB = 2 ** 30;

const running = (replication: { have: number; known: number }): DaemonState => ({
  kind: 'running',
  status: {
    pid: 1,
    temporary: false,
    uptimeMs: 1,
    addresses: [],
    peers: [],
    lan: { links: [], found: [] },
    replication: { ...replication, feeds: [] },
    paused: [],
    hold: null,
    waiting: [],
    knocks: [],
  },
});

function ingest(machine: ReturnType<typeof freshMachine>, ...contents: object[]): FakeFeed {
  const feed = new FakeFeed('nas');
  assert.ok(isOpen(machine.store));
  machine.store.ingest(contents.map((content) => feed.message(content, NOW_MS)));
  return feed;
}

test('flume is warned of before its log ends', (t) => {
  const machine = freshMachine(t);
  const flume = { ...machine, config: { ...machine.config, engine: 'ssb-server' } as typeof machine.config };
  const log = file(flume, 'flume/log.offset');
  for (const [gib, expected] of [
    [2.9, []],
    [3.1, ['flume-size warning']],
    [3.8, ['flume-size error']],
  ] as const) {
    truncateSync(log, Math.floor(gib * GIB)); // sparse: it takes nothing on the disk
    assert.deepEqual(codes(checkEngine(flume)), expected, `${gib} GiB`);
  }
  assert.deepEqual(codes(checkEngine(machine)), ['engine error'], 'flume with the engine sqlite');
  file(machine, 'store.keep');
  assert.deepEqual(codes(checkEngine(machine)), [], 'what was taken over may still be there');
  truncateSync(log, 0);
  assert.deepEqual(codes(checkEngine(flume)), ['engine error'], 'a record with the engine ssb-server');
});

test('a WAL that grows because somebody reads is told', (t) => {
  const machine = freshMachine(t, { store: undefined, daemon: running({ have: 1, known: 1 }) });
  const wal = file(machine, 'store.db-wal');
  assert.deepEqual(codes(checkWal(machine)), []);
  truncateSync(wal, 300 * 2 ** 20);
  assert.deepEqual(codes(checkWal(machine)), ['wal-large warning']);
  assert.deepEqual(codes(checkWal({ ...machine, daemon: { kind: 'none' } })), ['wal-left info']);
});

test('only lines well in the future are a matter of clocks', (t) => {
  const machine = freshMachine(t);
  const line = (minutes: number) => ({ type: 'log', text: 'x', at: NOW_MS + minutes * 60_000 });
  const feed = ingest(machine, { type: 'about', about: new FakeFeed('nas').id, name: 'n\u001bas' }, line(4));
  assert.deepEqual(checkClock(machine), []);
  assert.ok(isOpen(machine.store));
  machine.store.ingest([feed.message(line(6))]);
  const [finding] = checkClock(machine);
  assert.equal(finding?.code, 'clock');
  assert.match(finding?.message ?? '', /2026-11-22T12:06:00/);
  assert.ok(finding?.message.includes(feed.id) && !finding.message.includes('\u001b'));
});

test('messages that cannot be read are counted by machine', (t) => {
  const machine = freshMachine(t);
  ingest(machine, { type: 'log' }, { type: 'log-run', run: 7 }, { type: 'log', text: 'fine' });
  const findings = checkUnreadable(machine);
  assert.deepEqual(codes(findings), ['unreadable info']);
  assert.match(findings[0]?.message ?? '', /^2 messages of @/);
});

test('feeds that are followed and not had, and messages that peers have, are told', (t) => {
  const machine = freshMachine(t);
  const other = new FakeFeed('other');
  const own = Object.assign(new FakeFeed('own'), { id: machine.identity.id });
  assert.ok(isOpen(machine.store));
  machine.store.ingest([own.message({ type: 'contact', contact: other.id, following: true })]);
  assert.deepEqual(codes(checkReplication(machine)), ['feed-missing info']);
  machine.store.ingest([other.message({ type: 'log', text: 'here' })]);
  assert.deepEqual(codes(checkReplication(machine)), []);
  assert.deepEqual(codes(checkReplication({ ...machine, daemon: running({ have: 2, known: 2 }) })), []);
  const [finding] = checkReplication({ ...machine, daemon: running({ have: 2, known: 12 }) });
  assert.match(finding?.message ?? '', /^10 messages/);
});

test('a port that is taken is told while no daemon runs', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const machine = freshMachine(t);
  const { port } = server.address() as { port: number };
  const taken = { ...machine, config: { ...machine.config, port } as typeof machine.config };
  assert.deepEqual(codes(await checkPort(taken)), ['port warning']);
  assert.deepEqual(codes(await checkPort({ ...taken, daemon: running({ have: 0, known: 0 }) })), []);
});

test('a spool that a daemon does not take is wrong, one that waits for a daemon is not', async (t) => {
  const machine = freshMachine(t);
  const path = file(machine, 'spool/a.jsonl', `${JSON.stringify({ type: 'log', text: 'x', run: 'r', line: 1 })}\n`);
  utimesSync(path, NOW_MS / 1000 - 120, NOW_MS / 1000 - 120);
  assert.deepEqual(codes(await checkSpool(machine)), ['spool-waiting info']);
  const daemon = running({ have: 0, known: 0 });
  assert.deepEqual(codes(await checkSpool({ ...machine, daemon })), ['spool-stuck warning']);
  utimesSync(path, NOW_MS / 1000, NOW_MS / 1000);
  assert.deepEqual(codes(await checkSpool({ ...machine, daemon })), ['spool-waiting info']);
});

test('of temporary files only those of ours are removed that nobody can use any more', async (t) => {
  const machine = freshMachine(t);
  const { temporaryDir } = machine.options;
  const make = (name: string, ageHours: number, content?: string) => {
    const path = join(temporaryDir, name);
    mkdirSync(path);
    if (content !== undefined) writeFileSync(join(path, 'file'), content);
    utimesSync(path, NOW_MS / 1000 - ageHours * 3600, NOW_MS / 1000 - ageHours * 3600);
  };
  make('ssblog-abcDEF', 2);
  make('ssblog-young1', 0.5);
  make('ssblog-filled', 2, 'of somebody else');
  make('ssblog-0-a1b2c3d4e5f6a7b8c9d0', 2);
  make('another-abcDEF', 2);
  file(machine, 'store.salvaged.tmp', 'half');
  assert.deepEqual(codes(checkLeftovers(machine)), ['leftovers info']);
  await removeLeftovers(machine);
  assert.deepEqual(checkLeftovers(machine), []);
  assert.deepEqual(readdirSync(temporaryDir).sort(), [
    'another-abcDEF',
    'ssblog-0-a1b2c3d4e5f6a7b8c9d0',
    'ssblog-filled',
    'ssblog-young1',
  ]);
});

test('native crypto and room on the disk are no findings where they are there', (t) => {
  const machine = freshMachine(t);
  assert.deepEqual(checkCrypto(machine), []);
  const slow = { ...machine, options: { ...machine.options, environment: { CHLORIDE_JS: '1' } } };
  assert.deepEqual(codes(checkCrypto(slow)), ['crypto-slow info']);
  assert.deepEqual(checkDisk(machine), []);
});
