/** The recipes in examples/ with the real tools: a good run, one that fails, one that is killed; and cron's environment. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Machine, network } from '../helpers/machine.ts';
import { PROJECT, SSBLOG } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

const EXAMPLES = join(PROJECT, 'examples');

interface Job {
  readonly state: string;
  readonly exit: number | null;
  readonly signal: string | null;
}

interface Place {
  readonly machine: Machine;
  readonly env: Readonly<Record<string, string>>;
  readonly source: string;
  readonly dir: string;
}

/** A machine, something to back up, and a PATH on which ssblog and node are. */
async function place(t: TestContext): Promise<Place> {
  const [machine] = await network(t, 'laptop');
  const { box } = machine;
  await machine.start();
  const bin = box.path('bin');
  mkdirSync(bin);
  chmodSync(SSBLOG, 0o755);
  symlinkSync(SSBLOG, join(bin, 'ssblog'));
  symlinkSync(process.execPath, join(bin, 'node'));
  const source = box.path('source');
  mkdirSync(source);
  for (const name of ['a', 'b']) writeFileSync(join(source, name), `${name}\n`);
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    SSBLOG_PATH: machine.dir,
    RESTIC_PASSWORD: 'x',
    RESTIC_REPOSITORY: box.path('restic'),
    BORG_REPO: box.path('borg'),
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    DUPLICITY_FLAGS: '--no-encryption',
  };
  return { machine, env, source, dir: box.dir };
}

async function jobOf(machine: Machine, job: string): Promise<Job | undefined> {
  const { text } = await machine.run('jobs', '--json');
  return (JSON.parse(text) as (Job & { job: string })[]).find((one) => one.job === job);
}

interface Recipe {
  readonly tool: string;
  readonly file: string;
  readonly prepare?: readonly string[];
  readonly args: (place: Place, source: string) => readonly string[];
  /** Of a source that is not there. */
  readonly failure: { readonly exit: number; readonly level: string };
  /** Its exit code after SIGTERM; 143 when it has none of its own for that. */
  readonly killed: number;
}

const RECIPES: readonly Recipe[] = [
  {
    tool: 'restic',
    file: 'restic',
    prepare: ['restic', 'init'],
    args: (_, source) => [source],
    failure: { exit: 1, level: 'crit' },
    killed: 143,
  },
  {
    tool: 'borg',
    file: 'borg',
    prepare: ['borg', 'init', '-e', 'none'],
    args: (_, source) => [source],
    failure: { exit: 1, level: 'none' },
    killed: 143,
  },
  {
    tool: 'duplicity',
    file: 'duplicity',
    args: ({ dir }, source) => [source, `file://${dir}/duplicity`],
    failure: { exit: 13, level: 'err' },
    killed: 143,
  },
  {
    tool: 'rsync',
    file: 'rsync',
    args: ({ dir }, source) => [source, `${dir}/copy`],
    failure: { exit: 23, level: 'err' },
    killed: 20,
  },
  {
    tool: 'tar',
    file: 'tar',
    args: ({ dir }, source) => [source, `${dir}/a.tgz`],
    failure: { exit: 2, level: 'err' },
    killed: 143,
  },
];

for (const { tool, file, prepare, args, failure } of RECIPES) {
  const skip = spawnSync(tool, ['--version']).error === undefined ? false : `there is no ${tool} here`;
  test(`${tool}: a good and a failing run are told apart`, { skip }, async (t) => {
    const where = await place(t);
    const { machine, env, source } = where;
    const { box } = machine;
    const script = join(EXAMPLES, `${file}.sh`);
    if (prepare !== undefined) {
      const made = await box.run(prepare[0] as string, prepare.slice(1), { env });
      assert.equal(made.code, 0, made.stderr);
    }
    const good = await box.run(script, args(where, source), { env });
    assert.equal(good.code, 0, good.stderr);
    assert.equal((await jobOf(machine, file))?.state, 'ok');
    // borg's archives are named by the second.
    const ended = Math.floor(Date.now() / 1000);
    await waitFor('the next second', () => Math.floor(Date.now() / 1000) > ended, { everyMs: 20 });
    const bad = await box.run(script, args(where, `${source}/nowhere`), { env });
    assert.equal(bad.code, failure.exit, bad.stderr);
    // borg takes a path that is not there for a warning, and the recipe takes warnings for good.
    assert.equal((await jobOf(machine, file))?.state, tool === 'borg' ? 'ok' : 'failed');
    const levels = (await machine.entries('--job', file)).map(({ level }) => level ?? 'none');
    assert.ok(levels.includes(failure.level), `${levels}: ${bad.stderr}`);
  });
}

for (const { tool, file, prepare, args, killed } of RECIPES) {
  const skip = spawnSync(tool, ['--version']).error === undefined ? false : `there is no ${tool} here`;
  test(`${tool}: a run that is killed counts as failed, whatever the tool makes of the signal`, { skip }, async (t) => {
    const where = await place(t);
    const { machine, env, source } = where;
    const { box } = machine;
    if (prepare !== undefined) await box.run(prepare[0] as string, prepare.slice(1), { env });
    // Takes any of them far longer than the test, and no room until it is copied.
    truncateSync(join(source, 'a'), 16 * 1024 ** 3);
    const run = box.spawn(join(EXAMPLES, `${file}.sh`), [...args(where, source)], env);
    await waitFor(`${tool} to read`, () => isReading(join(source, 'a')));
    assert.equal((await jobOf(machine, file))?.state, 'running');
    run.kill('SIGTERM');
    const { code } = await run.done();
    assert.equal(code, killed);
    const { state, exit, signal } = (await jobOf(machine, file)) as Job;
    assert.deepEqual([state, signal === null ? exit : 128 + constants.signals.SIGTERM], ['failed', killed]);
  });
}

/** Whether some process has the file open. */
function isReading(path: string): boolean {
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

test('the line of the crontab works in the environment that cron gives', async (t) => {
  const { machine, env, source, dir } = await place(t);
  const { box } = machine;
  const text = readFileSync(join(EXAMPLES, 'crontab'), 'utf8');
  const [, command] = /^0 3 \* \* \* {2}(.*)$/m.exec(text) as RegExpExecArray;
  const line = (command as string).replace('"$HOME/" /mnt/backup/home', `"$HOME/source/" ${dir}/copy`);
  const cron = ['-i', 'LOGNAME=root', 'SHELL=/bin/sh', `HOME=${dir}`, `PATH=${env.PATH}`, `SSBLOG_PATH=${machine.dir}`];
  const good = await box.run('env', [...cron, '/bin/sh', '-c', line]);
  assert.deepEqual([good.code, good.text, good.stderr], [0, '', ''], 'nothing to mail');
  assert.equal(readFileSync(join(dir, 'copy', 'a'), 'utf8'), readFileSync(join(source, 'a'), 'utf8'));
  const job = (await jobOf(machine, 'home')) as Job & { cron: string; nextDue: number };
  assert.equal(job.state, 'ok');
  assert.equal(typeof job.nextDue, 'number');
  const bad = await box.run('env', [...cron, '/bin/sh', '-c', line.replace('/source/', '/nowhere/')]);
  assert.equal(bad.code, 23);
  assert.match(bad.stderr, /rsync error: /, 'which cron mails');
});

const noSystemd =
  spawnSync('systemd-analyze', ['--version']).error === undefined ? false : 'there is no systemd-analyze';

test('systemd takes the units of the recipe for what they are', { skip: noSystemd }, async (t) => {
  const { machine } = await place(t);
  const units = ['ssblog-backup.timer', 'ssblog-backup.service', 'ssblog-failed@.service'];
  const result = await machine.box.run('systemd-analyze', ['verify', ...units.map((unit) => join(EXAMPLES, unit))]);
  assert.equal(result.stderr, '');
  assert.equal(result.code, 0);
});
