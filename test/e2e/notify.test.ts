/** People are told what is wrong: once, by one machine, by every way there is, and by nobody else's mistake. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { befriend, type Machine, network, startAll } from '../helpers/machine.ts';
import { configure, type ListedNotifier, listNotifier, Worker } from '../helpers/notifying.ts';
import { Receiver } from '../helpers/receiver.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Whatever else would be told has been told before. */
async function told(receiver: Receiver, path: string, title: RegExp): Promise<void> {
  await waitFor(`${title} on ${path}`, () => receiver.titles(path).some((one) => title.test(String(one))), {
    everyMs: 20,
    detail: () => JSON.stringify(receiver.received),
  });
}

/** A program in the place of sendmail that keeps every mail. */
function mailSink(machine: Machine): { command: string[]; mails: () => string[] } {
  const script = machine.box.path('sendmail');
  const mails = machine.box.path('mails');
  writeFileSync(script, `#!/bin/sh\n[ "$1" = -t ] || exit 64\n{ cat; printf '\\0'; } >> '${mails}'\n`);
  chmodSync(script, 0o755);
  return {
    command: [script, '-t', '-i'],
    mails: () => (existsSync(mails) ? readFileSync(mails, 'utf8').split('\0').slice(0, -1) : []),
  };
}

test('a failure and its end are told by every way, once each, also after a restart', async (t) => {
  const [nas] = await network(t, 'nas');
  const receiver = await Receiver.listen(t);
  const sink = mailSink(nas);
  const seen = nas.box.path('seen');
  const script = 'cat; echo; echo "$SSBLOG_EVENT $SSBLOG_EVENT_JOB $SSBLOG_EVENT_EXIT"';
  configure(
    nas,
    { name: 'hook', webhook: `${receiver.url}/hook?key=secret`, headers: { 'X-Token': 'secret' } },
    { name: 'phone', ntfy: `${receiver.url}/alarms`, token: 'secret' },
    { name: 'script', command: ['/bin/sh', '-c', `{ ${script}; } >> '${seen}'`] },
    { name: 'mail', mail: 'anna@example.org', sendmail: sink.command },
  );
  await nas.start();
  const worker = new Worker(nas);
  await worker.run('home', 'run-1', 0);
  await worker.run('home', 'run-2', 3, 'disk \u001b[31mfull\u0007');
  await told(receiver, '/hook?key=secret', /^home on .* failed with exit code 3$/);
  await told(receiver, '/', /failed/);
  await waitFor('a mail', () => sink.mails().length === 1);
  await waitFor('the script', () => existsSync(seen) && /^failed home 3$/m.test(readFileSync(seen, 'utf8')));
  const [hook] = receiver.received.filter(({ path }) => path.startsWith('/hook'));
  assert.equal(hook?.headers['x-token'], 'secret');
  assert.match(String(hook?.body.text), /disk {1,2}\[31mfull$/, 'the end of the output, without control characters');
  const [phone] = receiver.received.filter(({ path }) => path === '/');
  assert.equal(phone?.body.topic, 'alarms');
  assert.equal(phone?.headers.authorization, 'Bearer secret');

  assert.equal(await nas.stop(), 0);
  await nas.start();
  await worker.run('home', 'run-3', 0);
  await told(receiver, '/hook?key=secret', /well again/);
  await told(receiver, '/', /well again/);
  await waitFor('the other mail', () => sink.mails().length === 2);
  assert.equal(receiver.received.length, 4, JSON.stringify(receiver.titles()));
  assert.match(sink.mails()[0] ?? '', /^To: anna@example\.org$/m);

  const { text } = await nas.must('config', '--json');
  assert.doesNotMatch(text, /secret/);
  assert.match((await nas.must('notify')).text, /phone +ntfy/);
});

test('of two machines that tell one person, one does, also when the other is off or never sends', async (t) => {
  const [one, other] = await network(t, 'one', 'other');
  const receiver = await Receiver.listen(t);
  const sink = mailSink(one);
  for (const machine of [one, other])
    configure(
      machine,
      { name: 'anna', to: 'anna', webhook: `${receiver.url}/${machine.name}`, takeover: '4s' },
      { name: 'mail', to: 'anna', mail: 'anna@example.org', sendmail: sink.command, takeover: '4s' },
    );
  await startAll(one, other);
  await befriend(one, other);
  for (const machine of [one, other])
    await waitFor(
      `${machine.name} to know of the other`,
      async () => (await listNotifier(machine, 'anna')).others.length === 1,
    );
  const [first, second] = one.id < other.id ? [one, other] : [other, one];
  const worker = new Worker(first, second);
  await worker.run('home', 'run-1', 1);
  await told(receiver, `/${first.name}`, /home/);
  await worker.run('photos', 'run-2', 1);
  await told(receiver, `/${first.name}`, /photos/);
  for (const name of ['anna', 'mail'])
    await waitFor('the second to know', async () => (await listNotifier(second, name)).told === 2);
  await waitFor('two mails', () => sink.mails().length === 2);
  assert.deepEqual(receiver.titles(`/${second.name}`), []);
  assert.equal(receiver.received.length, 2);

  await first.kill9();
  await worker.run('music', 'run-3', 1);
  await told(receiver, `/${second.name}`, /music/);
  await worker.run('home', 'run-4', 0);
  await told(receiver, `/${second.name}`, /home .*well again/);
  await waitFor('two more mails', () => sink.mails().length === 4, { detail: () => sink.mails().join('\n\n') });

  // It comes back, hears what was told meanwhile, and has its turn again.
  await first.start();
  await second.waitForPeer(first);
  await worker.run('last', 'run-5', 1);
  await told(receiver, `/${first.name}`, /last/);
  await waitFor('the last mail', () => sink.mails().length === 5);
  const jobs = (machine: Machine) => receiver.titles(`/${machine.name}`).map((title) => String(title).split(' ')[0]);
  assert.deepEqual(jobs(first), ['home', 'photos', 'last']);
  assert.deepEqual(jobs(second), ['music', 'home']);
});

test('a receiver that hangs or refuses holds up no other, and doctor says so', async (t) => {
  const [nas] = await network(t, 'nas');
  const [bad, good] = [await Receiver.listen(t), await Receiver.listen(t)];
  bad.status = undefined;
  configure(
    nas,
    { name: 'bad', webhook: `${bad.url}/secret`, timeout: '1s' },
    { name: 'hanging', command: ['/bin/sh', '-c', 'sleep 1000 & sleep 1000'], timeout: '1s' },
    { name: 'good', webhook: good.url },
  );
  await nas.start();
  const worker = new Worker(nas);
  await worker.run('home', 'run-1', 1);
  await told(good, '/', /home/);
  await waitFor('both to fail', async () => {
    const all = await nas.json<ListedNotifier[]>('notify', 'list');
    return all.filter(({ failures }) => failures > 0).length === 2;
  });
  const { text, code } = await nas.run('doctor');
  assert.equal(code, 1, text);
  assert.match(text, /"bad" failed once.*did not answer in time/);
  assert.match(text, /"hanging" failed once.*did not end in time/);
  assert.doesNotMatch(text, /\/secret/);
  assert.match((await nas.must('status')).text, /^notify +bad, hanging cannot tell anybody/m);
  const attempt = await nas.run('notify', 'test', 'bad');
  assert.equal(attempt.code, 1);
  assert.equal((await nas.must('notify', 'test', 'good', '--json')).text.includes('"ok":true'), true);
  assert.equal(good.titles().at(-1), 'ssblog on nas can reach you');
  assert.equal(await nas.stop(), 0, 'it ends in order');
});

test('lines that match are told; a pattern that takes for ever is turned off, and stops nothing', async (t) => {
  const [nas] = await network(t, 'nas');
  const receiver = await Receiver.listen(t);
  configure(
    nas,
    { name: 'disk', webhook: `${receiver.url}/disk`, match: 'I/O error', on: [], machines: ['nas'] },
    { name: 'evil', webhook: `${receiver.url}/evil`, match: '^(a+)+$', on: [] },
  );
  await nas.start();
  await nas.pipe('before\n');
  await nas.pipe('fine\nsda: I/O error\nsda: I/O error again\n', '--job', 'dmesg');
  await told(receiver, '/disk', /^dmesg on nas: sda: I\/O error$/);
  await nas.pipe(`${'a'.repeat(60)}!\n`);
  await waitFor('the pattern to be off', async () => (await listNotifier(nas, 'evil')).patternProblem !== null);
  await nas.pipe('sdb: I/O error\n', '--job', 'smart');
  await told(receiver, '/disk', /^smart on nas/);
  assert.match((await nas.run('doctor')).text, /pattern of the notifier "evil"/);
  assert.equal(await nas.stop(), 0);
});

test('a mistake in the settings is named, and keeps nothing but the daemon and its own verb from working', async (t) => {
  const [nas] = await network(t, 'nas');
  const cases: [notifier: object, said: RegExp][] = [
    [{ name: 'x' }, /"x" needs exactly one of: desktop/],
    [{ name: 'x', desktop: true, mail: 'root' }, /"x" needs exactly one of/],
    [{ name: 'x', mail: 'root\nBcc: eve@example.org' }, /"mail" of "x" must be an address/],
    [{ name: 'x', desktop: true, quiet: '25:00-07:00' }, /"quiet" of "x" must be two times/],
    [{ name: 'x', desktop: true, match: '(' }, /"match" of "x" must be a regular expression/],
    [{ name: 'x', desktop: true, repaet: '1h' }, /"x" has an unknown key "repaet"/],
    [{ name: 'x', webhook: 'example.org' }, /"webhook" of "x" must be a URL/],
    [{ name: 'x', command: 'mail root' }, /"command" of "x" must be a list/],
  ];
  for (const [notifier, said] of cases) {
    configure(nas, notifier);
    const result = await nas.run('notify', 'list');
    assert.equal(result.code, 2, result.stderr);
    assert.match(result.stderr, said);
  }
  assert.equal((await nas.run('start')).code, 2);
  await nas.pipe('it still ships\n');
  await nas.waitForLog(1);
  assert.match((await nas.run('doctor')).text, /"notify" in config\.json/);
  configure(nas);
  assert.match((await nas.run('notify', 'test')).stderr, /no "notify"/);
});
