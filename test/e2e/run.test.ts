/** `run`: a command is started at once, its output and its end are shipped, and it is never hindered. */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Machine, network } from '../helpers/machine.ts';
import { sandbox } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

interface Job {
  readonly job: string;
  readonly state: string;
  readonly exit: number | null;
  readonly signal: string | null;
  readonly lines: number;
}

async function job(machine: Machine, name: string): Promise<Job | undefined> {
  const { text } = await machine.run('jobs', '--json');
  return (JSON.parse(text) as Job[]).find((one) => one.job === name);
}

test('it passes the output through unchanged, ships it by stream, and ends as the command does', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const script = 'printf "out\\377\\r50%%\\r\\n"; echo into >/dev/stdout; echo err >/dev/stderr; exit 3';
  const result = await laptop.run('run', '--job', 'home', '--', 'sh', '-c', script);
  assert.equal(result.code, 3, result.stderr);
  assert.deepEqual(result.stdout, Buffer.from('out\xff\r50%\r\ninto\n', 'latin1'));
  assert.equal(result.stderr, 'err\n');
  const entries = await laptop.entries('--job', 'home');
  assert.deepEqual(entries.map(({ stream, text }) => [stream, text]).sort(), [
    ['stderr', 'err'],
    ['stdout', 'into'],
    ['stdout', 'out\ufffd\r50%\r'],
  ]);
  const { state, exit, lines } = (await job(laptop, 'home')) as Job;
  assert.deepEqual([state, exit, lines], ['failed', 3, 3]);
});

test('lines of both streams keep the order in which they were written', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const command = laptop.spawn(
    'run',
    '--job',
    'order',
    '--',
    'sh',
    '-c',
    'while read -r to text; do echo $text >&$to; done',
  );
  const expected: string[] = [];
  for (let line = 1; line <= 20; line += 1) {
    const to = line % 3 === 0 ? 2 : 1;
    await command.write(`${to} line ${line}.\n`);
    await command.waitForOutput(to === 1 ? 'text' : 'stderr', new RegExp(`line ${line}\\.\n`));
    expected.push(`line ${line}.`);
  }
  command.endInput();
  assert.equal((await command.done()).code, 0);
  assert.deepEqual(
    (await laptop.entries('--job', 'order')).map(({ text }) => text),
    expected,
  );
});

test('flags behind the command are its own, with -- and without', async (t) => {
  const [laptop] = await network(t, 'laptop');
  for (const args of [
    ['-q', '-s', 'other', 'printf', '%s,', '--json', '-v', '--', 'x'],
    ['--source=other', '--', 'printf', '%s,', '--json', '-v', '--', 'x'],
  ]) {
    const { code, text, stderr } = await laptop.run('run', ...args);
    assert.deepEqual([code, text, stderr], [0, '--json,-v,--,x,', '']);
  }
  assert.deepEqual(
    (await laptop.entries('--source', 'other')).map(({ job }) => job),
    ['printf', 'printf'],
  );
});

test('the command starts with the standard input, the mask and the directory that ssblog was started with', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const { text } = await laptop.runWith(
    { input: 'data\n' },
    'run',
    'sh',
    '-c',
    'cat; umask; pwd; exec ls -l /proc/self/fd',
  );
  assert.ok(text.startsWith(`data\n${process.umask().toString(8).padStart(4, '0')}\n${laptop.box.dir}\n`), text);
  assert.equal(text.match(/socket:\[/g)?.length, 1, `its input, and no descriptors of ssblog's own: ${text}`);
});

for (const [words, code, says] of [
  [['no-such-command'], 127, /no-such-command: command not found/],
  [[''], 127, /^ssblog: error: '': command not found\n$/],
  [['/etc/passwd'], 126, /\/etc\/passwd: permission denied/],
  [['sh', '-c', 'kill -TERM $$'], 143, /^$/],
  [['sh', '-c', 'kill -KILL $$'], 137, /^$/],
] as const) {
  test(`"${words.join(' ')}" gives ${code}, and counts as failed`, async (t) => {
    const [laptop] = await network(t, 'laptop');
    const result = await laptop.run('run', '--job', 'home', '--', ...words);
    assert.equal(result.code, code);
    assert.match(result.stderr, says);
    assert.equal((await job(laptop, 'home'))?.state, 'failed');
  });
}

test('wrong flags end it with 2 before anything is started', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const touched = laptop.box.path('touched');
  for (const flags of [
    ['--timeout', 'soon'],
    ['--level', 'loud'],
    ['--cron', '61 * * * *'],
    ['--cron', '0 3 * * *', '--tz', 'Nowhere'],
    ['--ok-exits', '256'],
    ['--job', 'a\nb'],
    ['--nosuch'],
  ]) {
    assert.equal((await laptop.run('run', ...flags, '--', 'touch', touched)).code, 2, flags.join(' '));
  }
  assert.equal((await laptop.run('run')).code, 2);
  assert.equal(statSync(touched, { throwIfNoEntry: false }), undefined);
});

test('--quiet-ok shows nothing of a run that succeeds and all of one that fails, however much', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const ok = await laptop.run('run', '--quiet-ok', '--', 'sh', '-c', 'echo out; echo err >&2');
  assert.deepEqual([ok.code, ok.text, ok.stderr], [0, '', '']);
  const bad = await laptop.run('run', '--quiet-ok', '--', 'sh', '-c', 'seq 200000; echo err >&2; exit 4');
  assert.equal(bad.code, 4);
  assert.equal(bad.text, `${Array.from({ length: 200_000 }, (_, index) => index + 1).join('\n')}\n`);
  assert.equal(bad.stderr, 'err\n');
  assert.ok(!readdirSync(laptop.dir).some((name) => name.startsWith('output-')));
  const borg = await laptop.run(
    'run',
    '--quiet-ok',
    '--ok-exits',
    '0,1',
    '--job',
    'borg',
    '--',
    'sh',
    '-c',
    'echo w; exit 1',
  );
  assert.deepEqual([borg.code, borg.text], [1, '']);
  const { state, exit } = (await job(laptop, 'borg')) as Job;
  assert.deepEqual([state, exit], ['ok', 1], 'the record has the code itself');
  assert.match((await laptop.must('jobs', 'borg')).text, /ended well with exit code 1/);
  assert.match((await laptop.must('jobs', 'borg')).text, / ok, exit code 1 /);
  assert.equal((await laptop.run('check', '--job', 'borg')).code, 0);
  const zero = await laptop.run('run', '--quiet-ok', '--ok-exits', '1', '--', 'echo', 'x');
  assert.deepEqual([zero.code, zero.text], [0, ''], 'other codes than 0 count as good as well, not instead');
});

test('five million lines go through in 200 MB, also when they are kept back and there is no daemon', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const report = laptop.box.path('resources');
  const code = `import{writeFileSync}from'node:fs';process.on('exit',()=>writeFileSync('${report}',String(process.resourceUsage().maxRSS)))`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
  const script = 'yes "a line that says something about a file and its size, 1234567" | head -n 5000000';
  const options = { env, deadlineMs: 120_000 };
  const result = await laptop.runWith(options, 'run', '--quiet-ok', '--json', '--', 'sh', '-c', script);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stderr, '');
  assert.equal((JSON.parse(result.text) as { lines: number }).lines, 5_000_000);
  const megabytes = (Number(readFileSync(report, 'utf8')) * 1024) / 1e6;
  t.diagnostic(`${Math.round(megabytes)} MB`);
  assert.ok(megabytes < 200, `${megabytes} MB`);
});

test('--timeout ends the command and all that it started, with 124', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const script = 'echo $$; sleep 1000 & echo $!; wait';
  const result = await laptop.run('run', '--timeout', '1s', '--job', 'slow', '--', 'sh', '-c', script);
  assert.equal(result.code, 124);
  assert.match(result.stderr, /time is over: SIGTERM\n$/);
  const pids = result.text.trim().split('\n');
  assert.equal(pids.length, 2);
  for (const pid of pids) assert.ok(!isAlive(pid), `${pid} goes on`);
  assert.match((await laptop.run('jobs', '--json')).text, /"timeout"/);
});

/** A process that nobody has waited for yet is none. */
function isAlive(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

test('--lock skips a run while another one goes on, and says so in the log', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const first = laptop.spawn('run', '--lock', '--job', 'home', '--', 'cat');
  await first.write('first\n');
  await first.waitForOutput('text', /first/);
  const second = await laptop.run('run', '--lock', '--verbose', '--job', 'home', '--', 'echo', 'second');
  assert.deepEqual([second.code, second.text], [0, '']);
  assert.match(second.stderr, /skipped: a run of home is still going on/);
  assert.equal((await laptop.run('run', '--lock', '--job', 'other', '--', 'true')).code, 0);
  const lines = (await laptop.entries('--job', 'home')).map(({ level, text }) => [level, text]);
  assert.deepEqual(lines.at(-1), ['notice', 'ssblog: notice: skipped: a run of home is still going on']);
  first.kill('SIGKILL');
  await first.exit;
  assert.equal((await laptop.run('run', '--lock', '--job', 'home', '--', 'echo', 'third')).text, 'third\n');
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGQUIT', 131],
] as const) {
  test(`${signal} is passed on once, and what the command then does is what counts`, async (t) => {
    const [laptop] = await network(t, 'laptop');
    const script = (last: string) =>
      `trap 'echo got; ${last}' ${signal.slice(3)}; echo ready; while :; do read -r x; done`;
    const handled = laptop.spawn('run', '--job', 'home', '--', 'bash', '-c', script('exit 5'));
    await handled.waitForOutput('text', /ready/);
    handled.kill(signal);
    const result = await handled.done();
    assert.deepEqual([result.code, result.text], [5, 'ready\ngot\n']);
    const ended = laptop.spawn('run', '--job', 'home', '--', 'cat');
    await ended.write('ready\n');
    await ended.waitForOutput('text', /ready/);
    ended.kill(signal);
    assert.equal((await ended.done()).code, code);
    assert.equal((await job(laptop, 'home'))?.signal, signal);
  });
}

test('a command that leaves a process behind is not waited for without an end', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const result = await laptop.run('run', '--job', 'home', '--', 'sh', '-c', 'sleep 1000 & echo $!');
  process.kill(Number(result.text), 'SIGKILL');
  assert.equal(result.code, 0);
  assert.match(result.stderr, /left behind/);
  assert.equal((await job(laptop, 'home'))?.state, 'ok');
});

test('the command runs, and its exit code counts, whatever is wrong with ssblog', async (t) => {
  const box = sandbox(t);
  const broken = box.path('broken');
  const result = await box.run('mkdir', [broken]);
  assert.equal(result.code, 0);
  writeFileSync(`${broken}/config.json`, '{ no JSON');
  chmodSync(broken, 0o700);
  for (const [path, says] of [
    [box.path('none'), /holds no machine/],
    ['/dev/null', /holds no machine/],
    ['', /must not be empty/],
    [broken, /not valid JSON/],
  ] as const) {
    for (const flags of [[], ['--lock'], ['--quiet-ok']]) {
      const args = ['run', ...flags, '--', 'sh', '-c', 'echo done; exit 7'];
      const { code, text, stderr } = await box.ssblog(args, { env: { SSBLOG_PATH: path } });
      assert.deepEqual([code, text], [7, 'done\n'], `${path}: ${stderr}`);
      assert.match(stderr, says);
    }
  }
});

test('a full spool and no daemon cost no output and change no exit code', async (t) => {
  const [laptop] = await network(t, 'laptop');
  // A file where the spool has to be, and a store that cannot be opened.
  writeFileSync(laptop.path('spool'), '');
  writeFileSync(laptop.path('store.db'), 'no database at all');
  const { code, text, stderr } = await laptop.run('run', '--quiet-ok', '--', 'echo', 'precious');
  assert.equal(code, 0);
  assert.equal(text, 'precious\n', 'what is logged nowhere is shown');
  assert.match(stderr, /warning: not everything is logged: 1 lines are lost/);
});

test('a run whose process is killed leaves no end, and the command goes on until it writes', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const mark = laptop.box.path('mark');
  const run = laptop.spawn(
    'run',
    '--job',
    'home',
    '--',
    'sh',
    '-c',
    `echo ready; read -r x; echo $$ > ${mark}; echo more`,
  );
  await run.waitForOutput('text', /ready/);
  await laptop.waitForLog(1);
  run.kill('SIGKILL');
  await run.exit;
  await waitFor('the command to go on', () => statSync(mark, { throwIfNoEntry: false }) !== undefined);
  await waitFor('the command to end when it writes', () => {
    try {
      process.kill(Number(readFileSync(mark, 'utf8')), 0);
      return false;
    } catch {
      return true;
    }
  });
  assert.equal((await job(laptop, 'home'))?.exit, null);
});

test('with --json the answer is alone on stdout', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const { code, text, stderr } = await laptop.run('run', '--json', '--', 'sh', '-c', 'echo out; exit 2');
  const { run, durationMs, ...rest } = JSON.parse(text) as Record<string, unknown>;
  assert.equal(code, 2);
  assert.equal(stderr, 'out\n');
  assert.deepEqual(rest, { lines: 1, published: 1, spooled: 0, exit: 2, signal: null });
  assert.deepEqual([typeof run, typeof durationMs], ['string', 'number']);
});

for (const shell of ['sh', 'bash']) {
  test(`pipe --exit-file gets the exit code in ${shell}`, async (t) => {
    const [laptop] = await network(t, 'laptop');
    const ssblog = `${process.execPath} ${laptop.box.path('ssblog.js')} --path ${laptop.dir}`;
    writeFileSync(
      laptop.box.path('ssblog.js'),
      `import(${JSON.stringify(`${import.meta.dirname}/../../bin/ssblog.js`)})`,
    );
    const line = (command: string) =>
      `f=$(mktemp); { ${command} 2>&1; echo $? >"$f"; } | ${ssblog} pipe --job home --exit-file "$f"; rm "$f"`;
    assert.equal((await laptop.box.run(shell, ['-c', line('(echo x; exit 6)')])).code, 0);
    assert.deepEqual([(await job(laptop, 'home'))?.state, (await job(laptop, 'home'))?.exit], ['failed', 6]);
    await laptop.box.run(shell, ['-c', line('echo y')]);
    assert.deepEqual([(await job(laptop, 'home'))?.state, (await job(laptop, 'home'))?.exit], ['ok', 0]);
    const file = laptop.box.path('garbage');
    writeFileSync(file, 'garbage\n');
    const { stderr } = await laptop.pipe('z\n', '--job', 'home', '--exit-file', file);
    assert.match(stderr, /"garbage" is no exit code .*: how the job ended is not known/);
    assert.equal((await job(laptop, 'home'))?.exit, null);
  });
}
