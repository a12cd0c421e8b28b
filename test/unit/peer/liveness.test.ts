import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mock, type TestContext, test } from 'node:test';
import { watchLiveness } from '../../../src/peer/liveness.ts';
import type { Callback, PullSource, RemotePeer, SsbPeer } from '../../../src/peer/ssb/types.ts';

/** A connection whose other side answers pings, or not; time is the fake here. */
function connection(t: TestContext) {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  const peer = Object.assign(new EventEmitter(), { id: '@me' });
  const state = { now: 1e12, bytes: 0, answers: true, pings: 0, isClosed: false };
  const ping = () => {
    state.pings += 1;
    const pong: PullSource<unknown> = (abort, callback) => {
      if (abort) callback(abort);
      else if (state.answers) callback(null, 1);
    };
    const sink = (source: PullSource<unknown>) => source(null, () => source(null, () => undefined));
    return { source: pong, sink };
  };
  const remote = Object.assign(new EventEmitter(), {
    id: '@other',
    gossip: { ping },
    close: (_abort: true, callback: Callback) => {
      state.isClosed = true;
      callback(null);
    },
  });
  const liveness = watchLiveness(peer as unknown as SsbPeer, { received: () => state.bytes, now: () => state.now });
  t.after(() => liveness.close());
  peer.emit('rpc:connect', remote as unknown as RemotePeer, true);
  const pass = async (seconds: number, each = () => {}) => {
    for (let second = 0; second < seconds; second += 1) {
      state.now += 1_000;
      each();
      mock.timers.tick(1_000);
      await new Promise(setImmediate); // an answer to a ping comes in a later turn
    }
  };
  return { state, liveness, pass };
}

test('a connection over which answers come is let alone, at the cost of a ping each 15 s', async (t) => {
  const { state, pass } = connection(t);
  await pass(3_600);
  assert.equal(state.isClosed, false);
  assert.ok(state.pings >= 230 && state.pings <= 241, `${state.pings} pings`);
});

test('a connection that went silent is ended within a minute', async (t) => {
  const { state, pass } = connection(t);
  await pass(60);
  state.answers = false;
  await pass(30);
  assert.equal(state.isClosed, false);
  await pass(31);
  assert.equal(state.isClosed, true);
});

test('whoever is sending much is not taken for gone because its answer is late', async (t) => {
  const { state, pass } = connection(t);
  await pass(20);
  state.answers = false;
  await pass(600, () => {
    state.bytes += 1_000;
  });
  assert.equal(state.isClosed, false);
});

test('software that never answers pings is left to TCP', async (t) => {
  const { state, pass } = connection(t);
  state.answers = false;
  await pass(600);
  assert.equal(state.isClosed, false);
});

test('after sleep, and in another network, a dead connection is ended within ten seconds', async (t) => {
  const { state, liveness, pass } = connection(t);
  await pass(20);
  state.answers = false;
  state.now += 3_600_000;
  await pass(5);
  assert.equal(state.isClosed, false);
  await pass(6);
  assert.equal(state.isClosed, true);
  liveness.hurry(); // nobody is left to hurry
});

test('after sleep a connection that is alive stays', async (t) => {
  const { state, pass } = connection(t);
  await pass(20);
  state.now += 3_600_000;
  await pass(120);
  assert.equal(state.isClosed, false);
});
