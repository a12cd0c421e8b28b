import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
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

test('after sleep and in another network, pauses are forgotten', (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  let now = 1e12;
  const { peer, dialled, answers } = network([address(KEY)]);
  const scheduler = startScheduler(peer, { now: () => now, random: () => 0.5 });
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      answers.shift()?.(new Error('refused'));
      now += 500;
      mock.timers.tick(500);
    }
  };
  pass(100_000);
  answers.shift()?.(new Error('refused'));
  const before = dialled.length;
  pass(1_000);
  assert.equal(dialled.length, before);
  scheduler.retry();
  assert.equal(dialled.length, before + 1);
  pass(1_000);
  now += 3_600_000;
  mock.timers.tick(500);
  assert.equal(dialled.length, before + 2);
  now -= 7_200_000; // the clock was put right
  answers.shift()?.(new Error('refused'));
  mock.timers.tick(500);
  assert.equal(dialled.length, before + 3);
  scheduler.close();
});

test('what was found on the LAN is dialled when it is wanted, before what the user named, and each address in turn', (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  let now = 0;
  const [feed, unwanted] = [KEY, OTHER].map((key) => `@${key}.ed25519`) as [string, string];
  const { peer, dialled, answers } = network([address(KEY, 1)]);
  const found = () => [
    { id: feed, addresses: [address(KEY, 2), address(KEY, 3)] },
    { id: unwanted, addresses: [address(OTHER)] },
  ];
  const scheduler = startScheduler(peer, { found, wants: (id) => id === feed, now: () => now, random: () => 0.5 });
  assert.deepEqual(dialled, [address(KEY, 2)]);
  assert.equal(scheduler.via(feed), 'lan');
  answers.shift()?.(new Error('refused'));
  scheduler.look();
  assert.deepEqual(dialled.slice(1), [address(KEY, 3)]);
  now += 9_000; // it does not answer at all
  scheduler.look();
  assert.equal(dialled.length, 3 - 1);
  assert.equal(scheduler.outgoingMs(feed), 9_000);
  now += 1_000;
  scheduler.look();
  assert.deepEqual(dialled.slice(2), [address(KEY, 1)]);
  assert.equal(scheduler.via(feed), 'user');
  scheduler.close();
});

test('who hangs up at once is dialled with growing pauses, who stayed a second at once', (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  let now = 0;
  const { peer, dialled, answers } = network([address(KEY)]);
  const scheduler = startScheduler(peer, { now: () => now, random: () => 0.5 });
  const stay = (ms: number) => {
    const remote = Object.assign(new EventEmitter(), { closed: false });
    Object.assign(peer.peers, { [`@${KEY}.ed25519`]: [remote] });
    answers.shift()?.(null, remote);
    for (let passed = 0; passed < ms; passed += 500) {
      now += 500;
      mock.timers.tick(500);
    }
    remote.closed = true;
    remote.emit('closed');
    const closedMs = now;
    const before = dialled.length;
    while (dialled.length === before && now < closedMs + 60_000) {
      now += 500;
      mock.timers.tick(500);
    }
    return now - closedMs;
  };
  assert.deepEqual([0, 0, 0, 1_000].map(stay), [2_000, 4_000, 8_000, 1_000]);
  scheduler.close();
});
