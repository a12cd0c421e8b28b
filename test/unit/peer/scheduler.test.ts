import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { addressFeed, startScheduler } from '../../../src/peer/scheduler.ts';
import type { Callback, SsbPeer } from '../../../src/peer/ssb/types.ts';

const KEY = `${'A'.repeat(43)}=`;
const OTHER = `${'B'.repeat(43)}=`;
const address = (key: string, port = 1) => `net:127.0.0.1:${port}~shs:${key}`;

/** ssb-conn's part that the scheduler uses; the network is the fake here. */
function network(addresses: string[], connected: string[] = []) {
  const dialled: string[] = [];
  const answers: Callback[] = [];
  const peer = {
    id: `@${'S'.repeat(43)}=.ed25519`,
    peers: Object.fromEntries(connected.map((key) => [`@${key}.ed25519`, [{ closed: false }]])),
    conn: {
      dbPeers: () => addresses.map((known) => [known, {}]),
      connect: (known: string, callback: Callback) => {
        dialled.push(known);
        answers.push(callback);
      },
    },
  } as unknown as SsbPeer;
  return { peer, dialled, answers, connected };
}

test('an address tells whose it is', () => {
  assert.equal(addressFeed(address(KEY)), `@${KEY}.ed25519`);
  assert.equal(addressFeed('net:127.0.0.1:1'), undefined);
});

test('every known machine that is not connected is dialled at once, by one of its addresses', () => {
  const { peer, dialled } = network([address(KEY), address(KEY, 2), address(OTHER)], [OTHER]);
  const scheduler = startScheduler(peer);
  assert.deepEqual(dialled, [address(KEY)]);
  scheduler.close();
});

test('a machine that does not answer is dialled again after growing pauses, at most a minute', (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  let now = 0;
  const { peer, dialled, answers } = network([address(KEY)]);
  const times: number[] = [];
  const scheduler = startScheduler(peer, { now: () => now, random: () => 0.5 });
  for (let tick = 0; tick < 1000; tick += 1) {
    const answer = answers.shift();
    if (answer) {
      times.push(now);
      answer(new Error('refused'));
    }
    now += 500;
    mock.timers.tick(500);
  }
  const pauses = times.slice(1).map((time, index) => time - (times[index] as number));
  assert.deepEqual(pauses.slice(0, 7), [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  assert.ok(dialled.length > 8);
  scheduler.close();
});
