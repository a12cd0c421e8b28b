/** How every job is, told by the real command line, on the job's machine and on another one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { readIdentity } from '../../src/config/identity.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Content } from '../../src/message/content.ts';
import { connectDaemon } from '../../src/peer/client.ts';
import { befriend, type Machine, network, startAll } from '../helpers/machine.ts';
import { SSBLOG } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

const noScript = spawnSync('script', ['--version']).status === 0 ? false : 'there is no script(1) to make a terminal';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

interface Job {
  readonly machine: string;
  readonly source: string | null;
  readonly job: string;
  readonly state: string;
  readonly exit: number | null;
  readonly every: string | null;
  readonly nextDue: number | null;
  readonly pausedBy: { readonly machine: string } | null;
  readonly problem?: string;
  readonly output?: readonly string[];
}

/** Through the machine's own socket, as `pipe` does. */
async function publish(machine: Machine, ...contents: Content[]): Promise<void> {
  const { config, paths } = loadConfig({ dir: machine.dir, flags: {}, environment: {} });
  const daemon = await connectDaemon(config, readIdentity(paths), paths);
  assert.ok(daemon, `no daemon of ${machine.name} answers`);
  await daemon.write(contents);
  await daemon.close();
}

function runOf(job: string, agoMs: number, end?: Partial<Extract<Content, { type: 'log-run' }>>): Content {
  const started = Date.now() - agoMs;
  const run = { type: 'log-run' as const, run: `${job}-${agoMs}`, source: 'laptop', job, started };
  return end === undefined
    ? { ...run, state: 'start' }
    : { ...run, state: 'end', ended: started + MINUTE, exit: 0, signal: null, lines: 0, ...end };
}

async function states(machine: Machine, ...args: string[]): Promise<Record<string, string>> {
  const jobs = await machine.json<Job[]>('jobs', ...args);
  return Object.fromEntries(jobs.map(({ job, state }) => [job, state]));
}

const DAILY = { every: '24h', grace: '2h' };

test('any machine tells how every job is', async (t) => {
  const [nas, laptop] = await network(t, 'nas', 'laptop');
  await startAll(nas, laptop);
  await befriend(nas, laptop);
  await laptop.pipe('one\ntwo\n', '--job', 'piped', '--destination', 'nas', '--every', '24h', '--grace', '2h');
  const line = (text: string, index: number): Content => {
    const labels = { source: 'laptop', job: 'failing', run: `failing-${5 * MINUTE}` };
    return { type: 'log', text, ...labels, line: index + 1, at: Date.now() - 4 * MINUTE + index };
  };
  await publish(
    laptop,
    runOf('failing', 6 * MINUTE, DAILY),
    ...['lots', 'of', 'output', 'before', 'connecting', '\u001b[2Jdisk full'].map(line),
    runOf('failing', 5 * MINUTE, { exit: 3, levels: { err: 1 } }),
    runOf('killed', 5 * MINUTE, { exit: null, signal: 'SIGKILL' }),
    runOf('absent', 5 * MINUTE, { exit: null, reason: 'spawn ENOENT' }),
    runOf('running', 5 * MINUTE),
    runOf('stuck', 2 * DAY),
    runOf('missing', 2 * DAY, DAILY),
    runOf('late', DAY + MINUTE, DAILY),
    runOf('cron', 3 * DAY, { cron: '0 3 * * *', tz: 'Europe/Berlin', grace: '1h' }),
    runOf('mended', 9 * MINUTE, { exit: 1 }),
    runOf('mended', 8 * MINUTE, {}),
    runOf('last', MINUTE, {}),
  );
  const expected = {
    ...{ piped: 'ok', failing: 'failed', killed: 'failed', absent: 'failed', running: 'running', stuck: 'stuck' },
    ...{ missing: 'missing', late: 'late', cron: 'missing', mended: 'ok', last: 'ok' },
  };
  await waitFor('all jobs on the other machine', async () => 'last' in (await states(nas)));

  await t.test('with the same states on both', async () => {
    assert.deepEqual(await states(laptop), expected);
    assert.deepEqual(await states(nas), expected);
    assert.deepEqual(await states(nas, '--machine', 'nas'), {});
    assert.deepEqual(await states(nas, '--destination', 'nas'), { piped: 'ok' });
  });

  await t.test('with what the contract says of each', async () => {
    const [piped] = await nas.json<Job[]>('jobs', '--destination', 'nas');
    const fields = ['source', 'destination', 'job', 'state', 'run', 'started', 'ended', 'exit', 'signal', 'durationMs'];
    for (const field of [...fields, 'lines', 'levels', 'every', 'grace', 'nextDue'])
      assert.ok(piped && field in piped, field);
    assert.deepEqual([piped?.machine, piped?.exit, piped?.every], ['laptop', null, '24h']);
    assert.ok((piped?.nextDue ?? 0) > Date.now());
    const history = await nas.json<{ runs: { run: string; exit: number | null }[] }>('jobs', 'failing');
    assert.deepEqual(
      history.runs.map(({ exit }) => exit),
      [3, 0],
    );
  });

  await t.test('check says what is wrong, with the end of its output', async () => {
    const { code, text } = await nas.run('check', '-n', '2');
    assert.equal(code, 1);
    assert.match(
      text,
      /^failing \[laptop\] failed with exit code 3, \d+ minutes ago\n {4}connecting\n {4}\\x1b\[2Jdisk full\n/m,
    );
    assert.match(text, /^killed \[laptop\] was ended by SIGKILL/m);
    assert.match(text, /^absent \[laptop\] failed \(spawn ENOENT\)/m);
    assert.match(text, /^stuck \[laptop\] is stuck: it began 2 days ago/m);
    assert.match(text, /^missing \[laptop\] did not run: it was due 1 day ago/m);
    assert.match(text, /^late \[laptop\] is late/m);
    assert.doesNotMatch(text, /piped|mended|running/);
    const wrong = JSON.parse((await nas.run('check', '--json', '--job', 'failing', '--job', 'piped')).text) as Job[];
    assert.deepEqual(
      wrong.map(({ job, output }) => [job, output?.length]),
      [['failing', 5]],
    );
  });

  await t.test('by its exit status alone, of some jobs or of an age', async () => {
    const check = async (...args: string[]) => {
      const { code, text } = await nas.run('check', ...args);
      return [code, text];
    };
    assert.deepEqual(await check('--job', 'piped', '--job', 'mended'), [0, '']);
    assert.deepEqual(await check('--job', 'piped', '--max-age', '1h'), [0, '']);
    assert.equal((await check('--job', 'piped', '--max-age', '1s'))[0], 1);
    assert.deepEqual(await check('--job', 'nightly'), [1, 'nightly is not known here\n']);
    assert.equal((await check('--job', 'late'))[0], 1);
    assert.deepEqual(await check('--job', 'late', '--allow-late'), [0, '']);
    assert.equal((await check('--max-age', 'old'))[0], 2);
  });

  await t.test('to Nagios in one line and its codes', async () => {
    const nagios = async (...args: string[]) => {
      const { code, text } = await nas.run('check', '--nagios', ...args);
      assert.match(text, /^SSBLOG (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]* \| [a-z]+=[^|\n]*\n$/);
      return [code, text.split(' ')[1]];
    };
    assert.deepEqual(await nagios('--job', 'piped'), [0, 'OK']);
    assert.deepEqual(await nagios('--job', 'late'), [1, 'WARNING']);
    assert.deepEqual(await nagios(), [2, 'CRITICAL']);
    assert.deepEqual(await nagios('--job', 'nightly'), [3, 'UNKNOWN']);
    const { code, text } = await nas.box.ssblog(['check', '--nagios', '--path', nas.box.path('nowhere')]);
    assert.equal(code, 3);
    assert.match(text, /^SSBLOG UNKNOWN - [^|\n]*\n$/);
  });

  await t.test('the output of the last run', async () => {
    const { text } = await nas.must('log', '--job', 'piped', '--run', 'last');
    assert.match(text, /one\n.*two\n$/);
    await laptop.pipe('three\n', '--job', 'piped', '--destination', 'nas');
    await waitFor('the next run', async () => {
      const last = await nas.must('log', '--job', 'piped', '--run', 'last');
      return /^[^\n]*three\n$/.test(last.text);
    });
    const [piped] = await nas.json<Job[]>('jobs', '--destination', 'nas');
    assert.equal(piped?.every, '24h', 'a run without a schedule does not end that of its job');
    assert.deepEqual(
      [(await nas.run('log', '--run', 'last')).code, (await nas.run('log', '--run', 'last', '--job', 'x')).code],
      [2, 2],
    );
  });

  await t.test('a job that one machine pauses is paused on the other, until it is resumed or forgotten', async () => {
    await nas.must('jobs', 'pause', 'failing');
    await nas.must('jobs', 'pause', 'late', '--until', '2h');
    const find = async (job: string) => (await laptop.json<Job[]>('jobs')).find((found) => found.job === job);
    await waitFor('the pauses', async () => (await find('late'))?.state === 'paused');
    const failing = await find('failing');
    assert.deepEqual([failing?.state, failing?.pausedBy?.machine], ['paused', 'nas']);
    assert.equal((await laptop.run('check', '--job', 'failing', '--job', 'late', '--max-age', '1s')).code, 0);
    await laptop.must('jobs', 'resume', 'failing');
    await nas.must('jobs', 'forget', 'killed');
    await waitFor('the rest', async () => {
      const [here, there] = [await states(nas), await states(laptop)];
      return here.failing === 'failed' && there.killed === undefined;
    });
    await publish(laptop, runOf('killed', -1, {}));
    assert.equal((await find('killed'))?.state, 'ok');
    assert.equal((await nas.run('jobs', 'pause', 'nothing')).code, 2);
    assert.equal((await nas.run('jobs', 'pause', 'late', '--until', 'yesterday')).code, 2);
  });

  await t.test('which of two jobs with one name is meant has to be said', async () => {
    await nas.pipe('a\n', '--job', 'piped');
    const { code, stderr } = await nas.run('jobs', 'pause', 'piped');
    assert.equal(code, 2);
    assert.match(stderr, /2 jobs are named "piped"\n.*--machine laptop --source laptop --destination nas/);
    await nas.must('jobs', 'pause', 'piped', '--machine', 'nas');
    assert.equal((await nas.json<Job>('jobs', 'piped', '-m', 'laptop')).state, 'ok');
    assert.equal((await nas.json<Job>('jobs', 'piped', '--destination', '')).state, 'paused');
  });

  await t.test('a job may be called as a verb of jobs, and earlier runs that have not ended are told', async () => {
    await publish(nas, runOf('pause', 3 * DAY), runOf('pause', MINUTE, {}));
    const { text } = await nas.must('jobs', '--job', 'pause');
    assert.match(text, /^job +pause\n(.*\n)*state +ok: .*; 1 earlier run has not ended\n/);
    assert.equal((await nas.run('jobs', 'home', '--job', 'pause')).code, 2);
    await nas.must('jobs', 'pause', 'pause');
    const mistyped = await nas.run('jobs', 'pasue', 'pause');
    assert.deepEqual(
      [mistyped.code, /jobs pause, resume or forget JOB/.test(mistyped.stderr)],
      [2, true],
      mistyped.stderr,
    );
    assert.equal((await nas.json<Job>('jobs', '-j', 'pause')).state, 'paused');
    await nas.must('jobs', 'forget', 'pause');
  });

  await t.test('names cannot drive a terminal', { skip: noScript }, async () => {
    await publish(nas, { ...runOf('z', MINUTE, {}), source: 'x\u001b]0;y' } as Content);
    const ssblog = `'${process.execPath}' '${SSBLOG}' --path '${nas.dir}'`;
    const command = `${ssblog} jobs --machine nas; ${ssblog} jobs z`;
    const { text } = await nas.box.run('script', ['-qec', command, '/dev/null']);
    assert.match(text, /x\\x1b\]0;y/);
    assert.ok(!text.includes('\u001b]'));
  });

  await t.test(
    'a machine that is away is told from one that did not run its job, before and after a restart',
    async () => {
      await laptop.stop();
      nas.shiftClock(3 * DAY);
      const away = async () => {
        const { piped, missing, failing } = await states(nas, '--machine', 'laptop');
        return { piped, missing, failing };
      };
      const expectedAway = { piped: 'unknown', missing: 'missing', failing: 'failed' };
      assert.deepEqual(await away(), expectedAway);
      await nas.stop();
      assert.deepEqual(await away(), expectedAway);
      const check = (...args: string[]) => nas.run('check', '--job', 'piped', '--machine', 'laptop', ...args);
      const { code, text } = await check();
      assert.equal(code, 1);
      assert.match(text, /^piped \[laptop -> nas\] may have run or not: laptop was last heard of 3 days ago/);
      assert.equal((await check('--allow-unknown')).code, 0);
      assert.equal((await check('--nagios')).code, 3);
    },
  );
});
