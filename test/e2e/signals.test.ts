/** How commands end: on signals, and when nobody reads their output. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { link, network, startAll } from '../helpers/machine.ts';
import { SSBLOG } from '../helpers/sandbox.ts';
import { waitFor } from '../helpers/wait-for.ts';

const noScript = spawnSync('script', ['--version']).status === 0 ? false : 'there is no script(1) to make a terminal';

for (const [signal, codes] of [
  ['SIGTERM', [0]],
  // Ctrl-C on a daemon in the foreground: both readings of the contract are right.
  ['SIGINT', [0, 130]],
] as const) {
  test(`${signal} stops the daemon cleanly, with what it was given on disk`, async (t) => {
    const [laptop] = await network(t, 'laptop');
    await laptop.start();
    await laptop.pipe('kept\n');
    const { daemon } = laptop;
    daemon.kill(signal);
    const { code } = await daemon.done(20_000);
    assert.ok(
      codes.some((expected) => expected === code),
      `exit ${code}: ${daemon.result.stderr}`,
    );
    assert.match((await laptop.must('log')).text, /\[laptop\] kept\n$/);
  });
}

test('SIGTERM stops a daemon with an open pipe and a peer, and the pipe keeps its lines', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await laptop.start();
  await nas.start();
  await nas.must('connect', laptop.address);
  await nas.waitForPeer(laptop);
  const pipe = laptop.spawn('pipe');
  await pipe.write('one\n');
  await laptop.waitForLog(1);
  assert.equal(await laptop.stop(), 0);
  await pipe.write('two\n');
  pipe.endInput();
  assert.equal((await pipe.done()).code, 0);
  await laptop.start();
  const { text } = await laptop.waitForLog(2);
  assert.match(text, /\[laptop\] one\n.*\[laptop\] two\n$/);
});

test('log -f prints what is there and what comes, until SIGINT ends it with 130', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  await laptop.pipe('there\n');
  const follow = laptop.spawn('log', '-f');
  follow.endInput();
  await follow.waitForOutput('text', /\[laptop\] there\n/);
  await laptop.pipe('comes\n');
  await follow.waitForOutput('text', /\[laptop\] comes\n/);
  follow.kill('SIGINT');
  const { code, text } = await follow.done();
  assert.equal(code, 130);
  assert.match(text, /^\S+ \S+ \[laptop\] there\n\S+ \S+ \[laptop\] comes\n$/);
});

test('log -f shows lines that come one by one as they come, not when it looks by itself', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await startAll(laptop, nas);
  await link(nas, laptop);
  const pipe = laptop.spawn('pipe');
  const follow = nas.spawn('log', '-f');
  await pipe.write('first\n');
  await follow.waitForOutput('text', /first\n/);
  const lines = 20;
  const before = performance.now();
  for (let line = 1; line <= lines; line += 1) {
    await pipe.write(`line ${line}.\n`);
    await follow.waitForOutput('text', new RegExp(`line ${line}\\.\n`));
  }
  // It looks by itself every second: then they would take half a second each.
  const ms = performance.now() - before;
  assert.ok(ms < (lines * 500) / 2, `${lines} lines took ${ms} ms`);
  pipe.endInput();
  follow.kill('SIGINT');
  assert.equal((await pipe.done()).code, 0);
  assert.equal((await follow.done()).code, 130);
});

test('log -f with filters and JSON prints only what they select', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const follow = laptop.spawn('log', '-f', '--json', '--source', 'wanted');
  await laptop.pipe('no\n', '--source', 'other');
  await laptop.pipe('yes\n', '--source', 'wanted');
  await follow.waitForOutput('text', /"yes"/);
  follow.kill('SIGTERM');
  const { code, text } = await follow.done();
  assert.equal(code, 143);
  assert.equal((JSON.parse(text.trim()) as { text: string }).text, 'yes');
});

test('log -f goes on when the daemon is restarted', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const follow = laptop.spawn('log', '-f');
  await laptop.pipe('before\n');
  await follow.waitForOutput('text', /before\n/);
  await laptop.stop();
  await laptop.start();
  await laptop.pipe('after\n');
  await follow.waitForOutput('text', /after\n/);
  follow.kill('SIGINT');
  assert.equal((await follow.done()).code, 130);
});

for (const [signal, code] of [
  ['SIGTERM', 143],
  // Its terminal was closed.
  ['SIGHUP', 129],
] as const) {
  test(`a pipe that is ended by ${signal} has shipped what it had read, once, and exits with ${code}`, async (t) => {
    const [laptop] = await network(t, 'laptop');
    await laptop.start();
    const pipe = laptop.spawn('pipe');
    await pipe.write('one\ntwo\n');
    await laptop.waitForLog(2);
    pipe.kill(signal);
    assert.equal((await pipe.done()).code, code);
    await laptop.pipe('three\n');
    const { text } = await laptop.waitForLog(3);
    assert.match(text, /^.* one\n.* two\n.* three\n$/);
  });
}

test('log ends quietly with 0 when nobody reads on', async (t) => {
  const [laptop] = await network(t, 'laptop');
  // More than a pipe holds.
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} with some more text\n`);
  await laptop.pipe(lines.join(''));
  const log = laptop.spawn('log');
  await log.waitForOutput('text', /line 0 with/);
  log.closeOutput();
  const { code, stderr } = await log.done();
  assert.deepEqual([code, stderr], [0, '']);
});

test('log -f ends when nobody reads on', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  await laptop.pipe('there\n');
  const follow = laptop.spawn('log', '-f');
  await follow.waitForOutput('text', /there\n/);
  follow.closeOutput();
  await waitFor('log -f to end', async () => {
    if (!follow.hasEnded) await laptop.pipe('one more\n');
    return follow.hasEnded;
  });
  assert.deepEqual(await follow.exit, { code: 0, signal: null });
});

test('on a terminal, control characters are shown escaped', { skip: noScript }, async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.pipe('before \x1b[31mred\x1b]0;title\x07 \x00 after\n');
  const onTerminal = async (env: Record<string, string>) => {
    const command = `'${process.execPath}' '${SSBLOG}' log --path '${laptop.dir}'`;
    const result = await laptop.box.run('script', ['-qec', command, '/dev/null'], { env });
    assert.equal(result.code, 0, result.text);
    return result.text;
  };
  const coloured = await onTerminal({ TERM: 'xterm-256color' });
  assert.ok(!coloured.includes('\x1b[31mred'), 'no colour of the line itself');
  assert.ok(!coloured.includes('\x1b]0;title'), 'no title of the line itself');
  assert.ok(!coloured.includes('\x00'));
  assert.match(coloured, /before .*red.* after/);
  const plain = await onTerminal({ TERM: 'xterm-256color', NO_COLOR: '1' });
  assert.ok(!plain.includes('\x1b'), 'NO_COLOR is obeyed');

  const piped = await laptop.must('log');
  assert.ok(piped.text.includes('\x1b[31mred\x1b]0;title\x07 \x00 after\n'), 'a pipe gets the bytes as they came');
});

test('a daemon whose stderr nobody reads goes on', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  laptop.daemon.stopReadingStderr();
  const socket = createConnection(laptop.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.end('sixty-four bytes that are no handshake, for the daemon to speak of ...');
  await once(socket, 'close');
  await laptop.pipe('still here\n');
  assert.equal(await laptop.stop(), 0);
});

test('a daemon that hangs is told from one that runs, and goes on when it wakes', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  laptop.daemon.kill('SIGSTOP');
  const [status, stop] = await Promise.all([laptop.run('status'), laptop.run('stop')]);
  for (const { code, stderr } of [status, stop]) {
    assert.equal(code, 1);
    assert.match(stderr, /the daemon did not answer for \d+ s\n.*end its process/);
  }
  laptop.daemon.kill('SIGCONT');
  assert.equal((await laptop.status()).daemon.running, true);
});
