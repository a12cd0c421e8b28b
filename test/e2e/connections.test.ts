/** Connections over time, with clocks that run faster than time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Machine, startAll } from '../helpers/machine.ts';
import { NO_HOSTS, topology } from '../helpers/topology.ts';
import { waitFor } from '../helpers/wait-for.ts';

const TIMES_FASTER = 20;
const TEN_MINUTES_MS = 600_000;

test('a connection holds for ten minutes, a dead one is noticed, and sleep is slept off', {
  skip: NO_HOSTS,
}, async (t) => {
  const net = topology(t);
  const lan = net.lan('10.1.0');
  const { machine: laptop } = await net.machine('laptop', lan);
  const { host, machine: nas } = await net.machine('nas', lan);
  for (const machine of [laptop, nas]) machine.hasten(TIMES_FASTER);
  await startAll(laptop, nas);
  await Promise.all([laptop.must('follow', nas.id), nas.must('follow', laptop.id)]);
  const connection = async (machine: Machine) => (await machine.status()).peers;
  const [first] = await waitFor('a connection', async () => {
    const peers = await connection(laptop);
    return peers.length > 0 ? peers : undefined;
  });
  assert.ok(first);

  const old = await waitFor(
    'ten minutes to pass',
    async () => {
      const peers = await connection(laptop);
      assert.equal(peers.length, 1, 'there is one connection all the time');
      assert.equal(peers[0]?.sinceMs, first.sinceMs, 'it is the same one all the time');
      const { daemon } = await laptop.status();
      return (daemon.uptimeMs ?? 0) > TEN_MINUTES_MS * 1.1 ? peers : undefined;
    },
    { everyMs: 1_000 },
  );
  assert.equal(old.length, 1);

  host.setDeaf(true);
  const deafMs = Date.now();
  for (const machine of [laptop, nas]) {
    await waitFor(`${machine.name} to notice`, async () => (await connection(machine)).length === 0);
  }
  const noticedMs = (Date.now() - deafMs) * TIMES_FASTER;
  t.diagnostic(`a connection that was cut without a word was over within ${Math.round(noticedMs / 1000)} s for both`);
  assert.ok(noticedMs < 300_000, 'noticed within 45 s, and the time it takes to ask');
  host.setDeaf(false);
  await laptop.waitForPeer(nas);

  laptop.daemon.kill('SIGSTOP');
  await waitFor('the nas to miss the laptop', async () => (await connection(nas)).length === 0);
  await nas.pipe('written while the laptop slept\n');
  laptop.daemon.kill('SIGCONT');
  const awakeMs = Date.now();
  await laptop.waitForLog(1);
  t.diagnostic(`the laptop had what it missed ${Date.now() - awakeMs} ms after it woke`);
  await waitFor(
    'one connection',
    async () => (await connection(laptop)).length === 1 && (await connection(nas)).length === 1,
  );
});
