/** Mails on the way that they really go: a sendmail of the machine's, and a server that takes them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { befriend, network, startAll } from '../helpers/machine.ts';
import { configure, listNotifier, Worker } from '../helpers/notifying.ts';
import { hasMailReader, type ReadMail, readMail } from '../helpers/read-mail.ts';
import { SmtpServer } from '../helpers/smtp-server.ts';
import { waitFor } from '../helpers/wait-for.ts';

const missing = spawnSync('msmtp', ['--version']).status !== 0 ? 'msmtp' : hasMailReader() ? undefined : 'python3';

/** Whoever names a job would have others mailed, or end the mail and begin one of his own. */
const NASTY_JOB = 'Täglich 😀\r\nBcc: eve@example.org\r\n\r\n.\r\nMAIL FROM:<eve@example.org>';
const NASTY_LINE = 'ü\r\n.\r\nRCPT TO:<eve@example.org>\r\nBcc: eve@example.org';

const HEADERS = ['Auto-Submitted', 'Content-Transfer-Encoding', 'Content-Type', 'Date', 'From', 'MIME-Version'];

test('of two machines that mail one person, one does, also when the other is off; the mails are as mails must be', {
  skip: missing !== undefined && `there is no ${missing}`,
}, async (t) => {
  const [one, other] = await network(t, 'one', 'other');
  const smtp = await SmtpServer.listen(t);
  const settings = one.box.path('msmtprc');
  writeFileSync(
    settings,
    `account default\nhost 127.0.0.1\nport ${smtp.port}\nfrom backups@example.org\nauth off\ntls off\n`,
  );
  const sendmail = ['msmtp', `--file=${settings}`, '-t', '-i'];
  for (const machine of [one, other])
    configure(machine, { name: 'mail', to: 'anna', mail: 'anna@example.org', sendmail, takeover: '4s' });
  await startAll(one, other);
  await befriend(one, other);
  for (const machine of [one, other])
    await waitFor(`${machine.name} to know of the other`, async () => {
      return (await listNotifier(machine, 'mail')).others.length === 1;
    });
  const [first, second] = one.id < other.id ? [one, other] : [other, one];
  const worker = new Worker(first, second);
  await worker.say({ type: 'about', about: worker.feed.id, name: 'böse\r\nBcc: eve@example.org' });
  const mailed = (count: number) =>
    waitFor(`mail ${count}`, () => smtp.mails.length >= count, {
      everyMs: 20,
      detail: () => `${smtp.violations.join('\n')}\n${first.said}\n${second.said}`,
    });

  const began = Date.now();
  await worker.run(NASTY_JOB, 'run-1', 1, NASTY_LINE);
  await mailed(1);
  await waitFor('the second to know', async () => (await listNotifier(second, 'mail')).told === 1);

  await first.kill9();
  await worker.run('photos', 'run-2', 1);
  await mailed(2);

  await first.start();
  await second.waitForPeer(first);
  await worker.run('last', 'run-3', 1);
  await mailed(3);
  for (const machine of [first, second])
    await waitFor(`${machine.name} to know of all`, async () => (await listNotifier(machine, 'mail')).told === 3);

  assert.equal(smtp.mails.length, 3, 'one mail for each');
  assert.deepEqual(smtp.violations, []);
  for (const { sender, recipients } of smtp.mails) {
    assert.equal(sender, 'backups@example.org');
    assert.deepEqual(recipients, ['anna@example.org']);
  }
  const mails = smtp.mails.map(({ raw }) => readMail(raw));
  for (const mail of mails) assertSound(mail, began);
  assert.equal(new Set(mails.map(({ id }) => id)).size, 3);
  assert.deepEqual(
    mails.map(({ body }) => /^ssblog on (.*)$/m.exec(body)?.[1]),
    [first.name, second.name, first.name],
  );
  assert.match(mails[0]?.subject ?? '', /^Täglich 😀 Bcc: .* on böse Bcc: .* failed with exit code 1$/);
  assert.match(mails[0]?.body ?? '', /^ü \. RCPT TO:<eve@example\.org> Bcc: eve@example\.org$/m);
  assert.match(mails[1]?.subject ?? '', /^photos on /);
});

function assertSound(mail: ReadMail, began: number): void {
  assert.deepEqual([...mail.names].sort(), [...HEADERS, 'Message-ID', 'Subject', 'To']);
  assert.deepEqual([mail.from, mail.to], [['backups@example.org'], ['anna@example.org']]);
  assert.ok(mail.date >= Math.floor(began / 1000) && mail.date <= Date.now() / 1000, String(mail.date));
  assert.match(mail.id, /^<[^<>@\s]+@[^<>@\s]+>$/);
  assert.equal(mail.type, 'text/plain utf-8');
}
