/** What is known of a machine's jobs where nobody is connected with it: its feed comes through a relay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { befriend, type Machine, network, startAll } from '../helpers/machine.ts';
import { waitFor } from '../helpers/wait-for.ts';

const HOUR_MS = 3_600_000;
/** A minute, after which the daemon looks at its jobs, is three seconds. */
const TIMES_FASTER = 20;

async function stateOf(machine: Machine, job: string): Promise<string | undefined> {
  const jobs = await machine.json<{ job: string; state: string }[]>('jobs');
  return jobs.find((one) => one.job === job)?.state;
}

test('behind a relay, a machine that is away is told from one that did not run its job', async (t) => {
  const [home, relay, other] = await network(t, 'home', 'relay', 'other');
  home.shiftClock(-3 * HOUR_MS);
  await startAll(relay, other);
  await befriend(other, relay);
  await befriend(home, relay);
  await home.must('run', '--job', 'nightly', '--every', '1h', '--grace', '30m', '--', 'true');
  await home.start();
  await waitFor('the run to come through the relay', async () => (await stateOf(other, 'nightly')) !== undefined);
  assert.equal(await home.stop(), 0);
  assert.equal(await stateOf(other, 'nightly'), 'unknown', 'nobody was there since it was due');
  assert.match(
    (await other.run('check')).text,
    /^nightly \[home\] may have run or not: home was last heard of 3 hours/,
  );

  // Two hours after it was due the machine is there, and its job does not run.
  home.hasten(TIMES_FASTER);
  await home.start();
  await waitFor('the other to know', async () => (await stateOf(other, 'nightly')) === 'missing', {
    detail: () => home.said,
  });
  const { code, text } = await other.run('check');
  assert.equal(code, 1);
  assert.match(text, /^nightly \[home\] did not run: it was due 2 hours ago/);
  const { messages } = await home.status();
  const { daemon } = await home.status();
  await waitFor('more minutes', async () => {
    return ((await home.status()).daemon.uptimeMs ?? 0) > (daemon.uptimeMs ?? 0) + 90_000;
  });
  assert.equal((await home.status()).messages, messages, 'it is said once');
});
