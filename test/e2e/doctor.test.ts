/** `doctor` on machines that are well, and on directories that were damaged in every way that came to mind. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cutOff, flipBytes, overwrite, PAGE_BYTES, pagesOf, sql, zeroTail } from '../helpers/damage.ts';
import { snapshot } from '../helpers/disk.ts';
import { befriend, Machine, network, randomNetworkKey } from '../helpers/machine.ts';
import { assertRefused } from '../helpers/refusal.ts';
import { sandbox } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

interface Finding {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly hint: string;
  readonly fixed?: boolean;
}

const LINES = 600;

function numbered(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index} ${'x'.repeat(index % 400)}\n`).join('');
}

/** The findings and the exit code; nothing on stderr but notices. */
async function doctor(machine: Machine, ...args: string[]): Promise<{ code: number | null; findings: Finding[] }> {
  const { code, text, stderr } = await machine.run('doctor', '--json', ...args);
  assert.doesNotMatch(stderr, /"error"|^\s+at /m, stderr);
  const findings = JSON.parse(text) as Finding[];
  for (const { severity, message, hint } of findings) {
    assert.match(severity, /^(error|warning|info)$/);
    assert.doesNotMatch(`${message}${hint}`, /\n/, 'one line');
    assert.ok(message !== '' && hint !== '');
  }
  return { code, findings };
}

/** What is wrong, without what is only worth knowing. */
const wrong = (findings: readonly Finding[]) =>
  findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ code, fixed }) => (fixed === undefined ? code : `${code} ${fixed}`));

async function assertWell(machine: Machine, ...args: string[]): Promise<void> {
  const { code, findings } = await doctor(machine, ...args);
  assert.deepEqual([code, wrong(findings)], [0, []], JSON.stringify(findings));
}

async function make(t: TestContext, engine: string): Promise<Machine> {
  return Machine.make(sandbox(t), 'laptop', randomNetworkKey(), engine);
}

/** Why a machine at rest would not write its feed. */
function hold(machine: Machine): string | undefined {
  return (JSON.parse(readFileSync(machine.path('own-feed.json'), 'utf8')) as { hold?: { reason: string } }).hold
    ?.reason;
}

for (const engine of ['sqlite', 'ssb-server']) {
  test(`a machine of the engine ${engine} is well, new and used, with a daemon and without, and nothing is changed`, async (t) => {
    const laptop = await make(t, engine);
    await assertWell(laptop);
    await laptop.pipe(numbered(50), '--no-blocks', '--job', 'nightly');
    await laptop.pipe(numbered(500));
    const withoutFlume = () => snapshot(laptop.dir).filter((line) => !/^(flume|conn|gossip|store\.db-shm)/.test(line));
    const before = withoutFlume();
    await assertWell(laptop, '--verify');
    assert.deepEqual(withoutFlume(), before);
    await laptop.start();
    await assertWell(laptop, '--verify');
    assert.deepEqual((await doctor(laptop)).findings, []);
    assert.equal((await laptop.must('doctor')).text, 'all is well\n');
    assert.equal(await laptop.stop(), 0);
    await assertWell(laptop, '--fix', '--verify');
  });

  test(`labels, runs and names of the engine ${engine} that are not what messages give are found and drawn anew`, async (t) => {
    const laptop = await make(t, engine);
    await laptop.pipe(numbered(300), '--no-blocks');
    await laptop.pipe(numbered(500));
    const { text: before } = await laptop.must('log', '--utc');
    sql(
      laptop.path('store.db'),
      `DELETE FROM labels WHERE id % 2 = 0; UPDATE names SET name = 'other'; DELETE FROM runs`,
    );
    assert.notEqual((await laptop.must('log', '--utc')).text, before);

    const { code, findings } = await doctor(laptop, '--verify');
    assert.equal(code, 1);
    assert.deepEqual(new Set(wrong(findings)), new Set(['labels']));
    assert.match(findings.map(({ message }) => message).join(), /rows of labels.*rows of runs.*rows of names/);

    await laptop.start();
    const held = await doctor(laptop, '--verify', '--fix');
    assert.equal(held.code, 1);
    assert.match(held.findings.find(({ fixed }) => fixed === false)?.hint ?? '', /ssblog stop/);
    assert.equal(await laptop.stop(), 0);

    const mended = await doctor(laptop, '--verify', '--fix');
    assert.equal(mended.code, 0, JSON.stringify(mended));
    assert.deepEqual(new Set(wrong(mended.findings)), new Set(['labels true']));
    await assertWell(laptop, '--verify');
    assert.equal((await laptop.must('log', '--utc')).text, before);
    await laptop.pipe('after\n');
    assert.match((await laptop.must('log')).text, /after\n$/);
  });
}

const STORE_DAMAGE: readonly [what: string, damage: (file: string) => void][] = [
  ['bytes are flipped in its pages', (file) => flipBytes(file, 5)],
  ['it is cut off', (file) => cutOff(file, 0.6)],
  ['its tail is zeros', (file) => zeroTail(file, 0.7)],
  ['its first page is nonsense', (file) => overwrite(file, Buffer.alloc(PAGE_BYTES, 0x5a), 0)],
  ['a message was forged', (file) => sql(file, `UPDATE messages SET value = replace(value, 'line 300 ', 'line 999 ')`)],
];

for (const [what, damage] of STORE_DAMAGE) {
  test(`a record is saved when ${what}, peers give back what is missing, and the feed goes on`, async (t) => {
    const box = sandbox(t);
    const laptop = await Machine.make(box, 'laptop', randomNetworkKey(), 'sqlite');
    const nas = await Machine.make(box, 'nas', laptop.networkKey, 'sqlite');
    await Promise.all([laptop.start(), nas.start()]);
    await befriend(nas, laptop);
    await nas.pipe('from the nas\n');
    await laptop.pipe(numbered(LINES), '--no-blocks');
    const { text: before } = await nas.waitForLog(LINES + 1);
    await laptop.waitForLog(LINES + 1);
    assert.equal(await laptop.stop(), 0);
    damage(laptop.path('store.db'));

    const { code, findings } = await doctor(laptop, '--verify');
    assert.equal(code, 1);
    assert.match(wrong(findings).join(), /store-damaged|signature/);
    const mended = await doctor(laptop, '--verify', '--fix');
    assert.equal(mended.code, 0, JSON.stringify(mended));
    assert.ok(wrong(mended.findings).every((finding) => finding.endsWith(' true')));
    const kept = laptop.files.filter((name) => name.startsWith('store.damaged-'));
    assert.deepEqual(kept, [`store.damaged-${new Date().toISOString().slice(0, 10)}`]);
    assert.equal(statSync(laptop.path('store.db')).mode & 0o777, 0o600);
    await assertWell(laptop, '--verify');
    assert.equal(hold(laptop), 'salvaged', 'it must not write before it has its own messages');
    assert.match((await doctor(laptop)).findings.map(({ code }) => code).join(), /catch-up/);

    await laptop.start();
    await laptop.must('connect', nas.address);
    assert.equal((await laptop.waitForLog(LINES + 1)).text, before);
    await laptop.pipe('after\n');
    await nas.waitForLog(LINES + 2);
    await assertWell(laptop, '--verify');
    await assertWell(nas, '--verify');
  });
}

test('a record whose labels alone are damaged is saved as a whole: nothing has to be fetched', async (t) => {
  const laptop = await make(t, 'sqlite');
  await laptop.pipe(numbered(LINES), '--no-blocks');
  const { text: before } = await laptop.must('log', '--utc');
  const file = laptop.path('store.db');
  for (const page of pagesOf(file, 'labels_by_series'))
    overwrite(file, Buffer.alloc(PAGE_BYTES), (page - 1) * PAGE_BYTES);
  assert.deepEqual(wrong((await doctor(laptop)).findings), ['store-damaged']);
  const mended = await doctor(laptop, '--fix');
  assert.deepEqual([mended.code, wrong(mended.findings)], [0, ['store-damaged true']], JSON.stringify(mended));
  assert.equal(hold(laptop), undefined);
  assert.equal((await laptop.must('log', '--utc')).text, before);
  await assertWell(laptop, '--verify');
  await laptop.pipe('after\n');
  assert.match((await laptop.must('log')).text, /after\n$/);
});

test('a repair that was killed before the saved store came into its place is finished, and nothing is read before', async (t) => {
  const laptop = await make(t, 'sqlite');
  await laptop.pipe(numbered(20));
  const { text: before } = await laptop.must('log', '--utc');
  // As salvage leaves it between its two renames.
  renameSync(laptop.path('store.db'), laptop.path('store.salvaged'));
  writeFileSync(laptop.path('store.damaged-2026-01-01'), 'the old one', { mode: 0o600 });
  writeFileSync(laptop.path('store.db-wal'), 'of the old one', { mode: 0o600 });
  assertRefused(await laptop.run('log'), { exitCode: 1, says: /gone.*\n.*doctor/ });
  assert.deepEqual(wrong((await doctor(laptop)).findings), ['salvage-interrupted']);
  const mended = await doctor(laptop, '--fix');
  assert.deepEqual([mended.code, wrong(mended.findings)], [0, ['salvage-interrupted true']]);
  assert.equal(readFileSync(laptop.path('store.damaged-2026-01-01-wal'), 'utf8'), 'of the old one');
  assert.equal((await laptop.must('log', '--utc')).text, before);
  await assertWell(laptop, '--verify');
});

test('nothing is written after a salvage that may have lost own messages, not even what waits in the spool', async (t) => {
  const laptop = await make(t, 'sqlite');
  // Only who knows another machine can be behind it.
  await laptop.must('follow', `@${randomNetworkKey()}.ed25519`);
  await laptop.pipe(numbered(LINES), '--no-blocks');
  cutOff(laptop.path('store.db'), 0.5);
  mkdirSync(laptop.path('spool'), { recursive: true, mode: 0o700 });
  const waiting = `${JSON.stringify({ type: 'log', text: 'later', run: 'r', line: 1 })}\n`;
  writeFileSync(laptop.path('spool', 'r-000000000.jsonl'), waiting, { mode: 0o600 });
  const mended = await doctor(laptop, '--fix');
  assert.equal(mended.code, 0, JSON.stringify(mended));
  const left = mended.findings.find(({ code }) => code === 'spool-waiting');
  assert.equal(left?.fixed, false);
  assert.equal(hold(laptop), 'salvaged');
  assert.equal(readFileSync(laptop.path('spool', 'r-000000000.jsonl'), 'utf8'), waiting);
  await assertWell(laptop, '--verify');
});

test('what was saved once is not put over a store that has been in use since', async (t) => {
  const laptop = await make(t, 'sqlite');
  await laptop.pipe('one\n');
  copyFileSync(laptop.path('store.db'), laptop.path('store.salvaged'));
  await laptop.pipe('two\n');
  const mended = await doctor(laptop, '--fix');
  assert.deepEqual([mended.code, wrong(mended.findings)], [0, ['salvage-interrupted true']]);
  assert.match((await laptop.must('log')).text, /one\n.*two\n$/);
  assert.ok(!laptop.files.some((name) => name.startsWith('store.damaged') || name === 'store.salvaged'));
});

test('a repair that is interrupted or killed in the midst of saving changes nothing, and the next one does it all', async (t) => {
  const laptop = await make(t, 'sqlite');
  await laptop.pipe(numbered(6000), '--no-blocks');
  const { text: before } = await laptop.must('log', '--utc');
  for (const page of pagesOf(laptop.path('store.db'), 'labels'))
    overwrite(laptop.path('store.db'), Buffer.alloc(PAGE_BYTES), (page - 1) * PAGE_BYTES);
  const bytes = readFileSync(laptop.path('store.db'));
  for (const [signal, end] of [
    ['SIGINT', { code: 130, signal: null }],
    ['SIGKILL', { code: null, signal: 'SIGKILL' }],
  ] as const) {
    const repair = laptop.spawn('doctor', '--fix');
    await waitFor('messages to be saved', () => existsSync(laptop.path('store.salvaged.tmp')), { everyMs: 2 });
    repair.kill(signal);
    const { code, signal: by, stderr } = await repair.done();
    assert.deepEqual({ code, signal: by }, end, stderr);
    assert.ok(readFileSync(laptop.path('store.db')).equals(bytes));
    assert.equal(existsSync(laptop.path('store.salvaged')), false);
    assert.equal(existsSync(laptop.path('store.salvaged.tmp')), signal === 'SIGKILL');
  }
  const mended = await doctor(laptop, '--fix');
  assert.equal(mended.code, 0, JSON.stringify(mended));
  assert.equal(existsSync(laptop.path('store.salvaged.tmp')), false);
  assert.equal((await laptop.must('log', '--utc')).text, before);
  await assertWell(laptop, '--verify');
});

test('a record that is gone is named, and an empty one has to catch up before it writes', async (t) => {
  const laptop = await make(t, 'sqlite');
  await laptop.pipe('one\n');
  for (const name of laptop.files.filter((name) => name.startsWith('store.db'))) rmSync(laptop.path(name));
  assert.deepEqual(wrong((await doctor(laptop)).findings), ['store-gone']);
  const mended = await doctor(laptop, '--fix');
  assert.deepEqual([mended.code, wrong(mended.findings)], [0, ['store-gone true']], JSON.stringify(mended));
  assert.equal(hold(laptop), 'salvaged');
});

test('a mirror that is damaged or disagrees with flume is made anew', async (t) => {
  const laptop = await make(t, 'ssb-server');
  await laptop.pipe(numbered(LINES), '--no-blocks');
  const { text: before } = await laptop.must('log', '--utc');
  const file = laptop.path('store.db');
  for (const [code, damage] of [
    ['store-damaged', () => zeroTail(file, 0.5)],
    ['store-damaged', () => overwrite(file, Buffer.alloc(PAGE_BYTES), 0)],
    ['signature', () => sql(file, `UPDATE messages SET key = '%' || substr(key, 3) || 'A' WHERE sequence = ${LINES}`)],
  ] as const) {
    damage();
    assert.match(wrong((await doctor(laptop, '--verify')).findings).join(), new RegExp(code));
    const mended = await doctor(laptop, '--verify', '--fix');
    assert.equal(mended.code, 0, JSON.stringify(mended));
    await assertWell(laptop, '--verify');
    assert.equal((await laptop.must('log', '--utc')).text, before);
  }
  await laptop.pipe('after\n');
  assert.match((await laptop.must('log')).text, /after\n$/);
});

test('flume that is damaged in its midst is cut there, and given back what the mirror has', async (t) => {
  const box = sandbox(t);
  const laptop = await Machine.make(box, 'laptop', randomNetworkKey(), 'ssb-server');
  const nas = await Machine.make(box, 'nas', laptop.networkKey, 'sqlite');
  await laptop.pipe(numbered(LINES), '--no-blocks');
  const { text: before } = await laptop.must('log', '--utc');
  const log = laptop.path('flume', 'log.offset');
  for (const damage of [
    () => overwrite(log, Buffer.alloc(3000), Math.floor(statSync(log).size / 2)),
    () => overwrite(log, Buffer.alloc(8, 0xa5), Math.floor(statSync(log).size / 3)),
  ]) {
    damage();
    const { code, findings } = await doctor(laptop, '--verify');
    assert.deepEqual([code, wrong(findings)], [1, ['flume-damaged']]);
    const mended = await doctor(laptop, '--verify', '--fix');
    assert.deepEqual([mended.code, wrong(mended.findings)], [0, ['flume-damaged true']], JSON.stringify(mended));
    assert.equal((await laptop.must('log', '--utc')).text, before);
    await assertWell(laptop, '--verify');
  }
  assert.equal(laptop.files.filter((name) => name.startsWith('flume.damaged-')).length, 2);
  assert.equal(hold(laptop), undefined, 'nothing is lost');
  await Promise.all([laptop.start(), nas.start()]);
  await befriend(laptop, nas);
  await laptop.pipe('after\n');
  await nas.waitForLog(LINES + 1);
});

for (const engine of ['sqlite', 'ssb-server']) {
  test(`a store of the engine ${engine} that an older ssblog made is brought up to date`, async (t) => {
    const laptop = await make(t, engine);
    await laptop.pipe(numbered(30));
    const { text: before } = await laptop.must('log', '--utc');
    const file = laptop.path('store.db');
    sql(
      file,
      `DROP VIEW log_messages; DROP VIEW log_runs; DROP VIEW machines; DROP INDEX labels_by_continuation;
       DROP TABLE notices; DROP TABLE job_states; DROP INDEX run_records_by_series; DROP INDEX run_records_with_schedule;
       DROP INDEX run_records_good; ALTER TABLE run_records DROP COLUMN reason;
       ALTER TABLE run_records DROP COLUMN cron; ALTER TABLE run_records DROP COLUMN tz;
       ALTER TABLE run_records DROP COLUMN ok;
       ALTER TABLE messages DROP COLUMN data; DROP TABLE message_keys;
       DELETE FROM meta WHERE key = 'store.last-key';
       CREATE INDEX messages_by_key ON messages (substr(key, 2, 8)); PRAGMA user_version = 2`,
    );
    assert.deepEqual(wrong((await doctor(laptop)).findings), ['store-version']);
    const mended = await doctor(laptop, '--fix');
    assert.deepEqual([mended.code, wrong(mended.findings)], [0, ['store-version true']], JSON.stringify(mended));
    assert.equal((await laptop.must('log', '--utc')).text, before);
    sql(file, 'PRAGMA user_version = 1000');
    const newer = await doctor(laptop);
    assert.deepEqual([newer.code, wrong(newer.findings)], [1, ['store-version']]);
  });
}

test('what others can read is closed to them', async (t) => {
  const laptop = await make(t, 'sqlite');
  await laptop.pipe('one\n');
  const modes = { '.': 0o755, secret: 0o644, 'config.json': 0o666, 'store.db': 0o640 };
  for (const [name, mode] of Object.entries(modes)) chmodSync(laptop.path(name), mode);
  const found = (await doctor(laptop)).findings.filter(({ code }) => code === 'modes');
  // SQLite gives the files beside a store its mode.
  const named = Object.entries(modes).filter(([name, mode]) =>
    found.some(({ message }) => message.startsWith(`${join(laptop.dir, name)} has mode 0${mode.toString(8)}`)),
  );
  assert.equal(named.length, 4, JSON.stringify(found));
  const mended = await doctor(laptop, '--fix');
  assert.ok(mended.findings.every(({ code, fixed }) => code !== 'modes' || fixed === true));
  assert.equal(mended.code, 0, JSON.stringify(mended));
  const after = Object.keys(modes).map((name) => (statSync(laptop.path(name)).mode & 0o777).toString(8));
  assert.deepEqual(after, ['700', '600', '600', '600']);
  await laptop.pipe('two\n');
});

test('a config and a secret that cannot be used are named, and the rest is looked at all the same', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await laptop.pipe('one\n');
  const [config, secret] = [readFileSync(laptop.path('config.json')), readFileSync(laptop.path('secret'))];
  writeFileSync(laptop.path('config.json'), '{ "name": ');
  chmodSync(laptop.path('secret'), 0o600);
  writeFileSync(laptop.path('secret'), 'nonsense');
  mkdirSync(laptop.path('spool', 'damaged'), { recursive: true, mode: 0o700 });
  writeFileSync(laptop.path('spool', 'damaged', 'x.jsonl'), '?', { mode: 0o600 });
  const broken = await doctor(laptop, '--fix');
  assert.deepEqual([broken.code, wrong(broken.findings)], [1, ['config false', 'secret false']]);
  assert.ok(broken.findings.some(({ code }) => code === 'spool-aside'));
  rmSync(laptop.path('config.json'));
  assert.deepEqual(wrong((await doctor(laptop)).findings), ['config', 'secret']);

  writeFileSync(laptop.path('config.json'), config, { mode: 0o600 });
  writeFileSync(laptop.path('secret'), readFileSync(nas.path('secret')));
  assert.deepEqual(wrong((await doctor(laptop)).findings), ['secret-other']);
  writeFileSync(laptop.path('secret'), secret);
  await assertWell(laptop);
  assertRefused(await laptop.box.ssblog(['doctor', '--path', laptop.box.path('nowhere')]), {
    exitCode: 2,
    says: /init/,
  });
});

test('a process that holds the machine and does not answer is named', async (t) => {
  const laptop = await make(t, 'sqlite');
  await laptop.start();
  const { pid } = laptop.daemon;
  laptop.daemon.kill('SIGSTOP');
  const { code, findings } = await doctor(laptop);
  laptop.daemon.kill('SIGCONT');
  assert.deepEqual([code, wrong(findings)], [1, ['daemon-silent']]);
  if (process.platform === 'linux') assert.match(findings[0]?.hint ?? '', new RegExp(`kill ${pid}`));
  assert.equal(await laptop.stop(), 0);
});

test('a spool file that is damaged is published as far as it can be read, and kept', async (t) => {
  const laptop = await make(t, 'sqlite');
  await laptop.pipe('one\n');
  mkdirSync(laptop.path('spool'), { recursive: true, mode: 0o700 });
  const text = `${JSON.stringify({ type: 'log', text: 'from the spool', run: 'r', line: 1 })}\n{"type":"log","te`;
  writeFileSync(laptop.path('spool', 'r-000000000.jsonl'), text, { mode: 0o600 });
  const { code, findings } = await doctor(laptop);
  assert.deepEqual([code, wrong(findings)], [1, ['spool-damaged']]);
  assert.match(findings.find(({ code }) => code === 'spool-waiting')?.message ?? '', /1 lines in 1 files/);
  const mended = await doctor(laptop, '--fix');
  assert.deepEqual([mended.code, wrong(mended.findings)], [0, ['spool-damaged true']], JSON.stringify(mended));
  assert.match((await laptop.must('log')).text, /from the spool/);
  assert.deepEqual(readdirSync(laptop.path('spool')), ['damaged']);
  assert.match((await doctor(laptop)).findings.map(({ code }) => code).join(), /spool-aside/);
});

test('what a killed daemon and killed commands left is taken in or removed', async (t) => {
  const laptop = await make(t, 'sqlite');
  await laptop.start();
  await laptop.pipe('one\n');
  await laptop.kill9();
  rmSync(laptop.path('store.keep'));
  writeFileSync(laptop.path('config.json.new'), '{}', { mode: 0o600 });
  const { code, findings } = await doctor(laptop);
  assert.deepEqual([code, wrong(findings)], [1, ['record-mark']]);
  const codes = findings.map(({ code }) => code);
  assert.ok(codes.includes('wal-left') && codes.includes('leftovers'), codes.join());
  const mended = await doctor(laptop, '--fix');
  assert.equal(mended.code, 0, JSON.stringify(mended));
  for (const name of ['record-mark', 'wal-left', 'leftovers'])
    assert.equal(mended.findings.find(({ code }) => code === name)?.fixed, true, name);
  assert.ok(existsSync(laptop.path('store.keep')) && !existsSync(laptop.path('config.json.new')));
  await laptop.pipe('two\n');
});

test('lines from the future, slow crypto and an engine that is not the one here are told', async (t) => {
  const laptop = await make(t, 'sqlite');
  mkdirSync(laptop.path('spool'), { mode: 0o700 });
  const content = { type: 'log', text: 'tomorrow', at: Date.now() + 86_400_000, run: 'r', line: 1 };
  writeFileSync(laptop.path('spool', 'r-000000000.jsonl'), `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await laptop.pipe('one\n');
  const { code, findings } = await doctor(laptop);
  assert.deepEqual([code, wrong(findings)], [1, ['clock']]);
  const slow = await laptop.runWith({ env: { CHLORIDE_JS: '1' } }, 'doctor', '--json');
  assert.match(slow.text, /"crypto-slow"/);
  const other = await laptop.runWith({ env: { SSBLOG_ENGINE: 'ssb-server' } }, 'doctor', '--json');
  assert.match(other.text, /"engine"/);
});
