/** Programs and servers that are told: real ones, with all that they may do wrong. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { commandChannel } from '../../../src/notify/channels/command.ts';
import { ntfyChannel, webhookChannel } from '../../../src/notify/channels/http.ts';
import { noticeOf } from '../../../src/notify/words.ts';
import { Receiver } from '../../helpers/receiver.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const NOTICE = noticeOf(
  [
    {
      event: 'failed',
      subject: { machine: { id: '@m', name: 'nas' }, job: 'höme', exit: 1 },
      toldAt: null,
      tail: ['x'.repeat(200)],
    },
  ],
  { to: 'anna', by: { id: '@me', name: 'laptop' }, now: 0 },
);

function options(environment: Record<string, string> = {}, ms = 5_000) {
  return { signal: AbortSignal.timeout(ms), environment: { PATH: process.env.PATH, ...environment }, dir: '/machine' };
}

function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'out');
}

test('a command gets JSON and variables, and not the network key', async (t) => {
  const out = scratch(t);
  const send = commandChannel(['/bin/sh', '-c', 'cat > "$1"; env >> "$1"', 'sh', out]);
  await send(NOTICE, options({ SSBLOG_NETWORK_KEY: 'secret' }));
  const [json = '', ...variables] = readFileSync(out, 'utf8').split('\n');
  assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(NOTICE)));
  for (const variable of [
    'SSBLOG_EVENT=failed',
    'SSBLOG_EVENT_JOB=höme',
    'SSBLOG_EVENT_EXIT=1',
    'SSBLOG_PATH=/machine',
  ])
    assert.ok(variables.includes(variable), variable);
  assert.ok(!variables.some((variable) => variable.includes('secret')));
});

const FAILURES: readonly [what: string, command: string[], said: RegExp][] = [
  [
    'fails',
    ['/bin/sh', '-c', 'echo first >&2; printf "no\\033route" >&2; exit 7'],
    /^\/bin\/sh: exit code 7: no route$/,
  ],
  ['is killed', ['/bin/sh', '-c', 'kill -9 $$'], /SIGKILL/],
  ['is not there', ['/does/not/exist'], /ENOENT/],
  ['says too much', ['/bin/sh', '-c', 'yes | head -c 1000000 >&2; exit 1'], /^\/bin\/sh: exit code 1: y$/],
];
for (const [what, command, said] of FAILURES)
  test(`a command that ${what}`, async () => {
    await assert.rejects(commandChannel(command)(NOTICE, options()), { code: 'notify', message: said });
  });

test('a command that does not read its input, and leaves something running, is well', async () => {
  await commandChannel(['/bin/sh', '-c', 'exec <&-; sleep 1000 2>/dev/null & exit 0'])(NOTICE, options());
});

test('a command that hangs is ended with all that it started', async (t) => {
  const out = scratch(t);
  const send = commandChannel(['/bin/sh', '-c', 'sleep 1000 & echo $! > "$1"; wait', 'sh', out]);
  const attempt = new AbortController();
  const sent = send(NOTICE, { ...options(), signal: attempt.signal });
  const pid = Number(await waitFor('its child', () => readIfThere(out), { everyMs: 10 }));
  attempt.abort();
  await assert.rejects(sent, { code: 'notify', message: /did not end in time/ });
  await waitFor('its child to end', () => !isRunning(pid), { everyMs: 10 });
});

function readIfThere(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return text.endsWith('\n') ? text : undefined;
  } catch {
    return undefined;
  }
}

/** One that has ended and that nobody has taken note of counts as ended. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('ntfy gets topic, title and message as JSON at its root, with password or token as a header', async (t) => {
  const receiver = await Receiver.listen(t);
  await ntfyChannel(`${receiver.url.replace('//', '//anna:p%40ss@')}/höhe`, undefined)(NOTICE, options());
  const [{ path, headers, body } = { path: '', headers: {}, body: {} }] = receiver.received;
  assert.equal(path, '/');
  assert.equal(headers.authorization, `Basic ${Buffer.from('anna:p@ss').toString('base64')}`);
  assert.deepEqual([body.topic, body.title, body.priority], ['höhe', 'höme on nas failed with exit code 1', 4]);
});

test('what a server answers but 2xx is a failure, and so is a redirection, and nothing', async (t) => {
  const receiver = await Receiver.listen(t);
  const send = webhookChannel(`${receiver.url}/secret`);
  for (const [status, said] of [
    [500, /127\.0\.0\.1:\d+: it answered 500/],
    [404, /404/],
    [302, /redirect|302/],
  ] as const) {
    receiver.status = status;
    receiver.location = `${receiver.url}/elsewhere`;
    await assert.rejects(send(NOTICE, options()), { code: 'notify', message: said });
  }
  assert.ok(receiver.received.every(({ path }) => path === '/secret'));
  receiver.status = undefined;
  await assert.rejects(
    send(NOTICE, options({}, 200)),
    (error: Error) => /in time/.test(error.message) && !/secret/.test(error.message),
  );
  await assert.rejects(
    webhookChannel('http://127.0.0.1:1/secret')(NOTICE, options()),
    /127\.0\.0\.1:1: (ECONNREFUSED|bad port)/,
  );
});
