/** Who was connected is known after the daemon has ended. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { lastSeen, recordSeen } from '../../../src/peer/seen.ts';
import { FakeFeed, freshStore } from '../store/fake-feed.ts';

const START = 1_000_000;
const MINUTE = 60_000;

interface Peer {
  readonly id: string;
  readonly sinceMs: number;
  upToDate: boolean;
}

function watched(t: TestContext) {
  const store = freshStore(t);
  const [laptop, nas] = [new FakeFeed('laptop'), new FakeFeed('nas')];
  store.ingest([laptop.message({ type: 'log', text: 'a' }), nas.message({ type: 'log', text: 'b' })]);
  const clock = { now: START };
  const open = new Set<Peer>();
  const notice = (text: string) => assert.fail(text);
  const record = recordSeen(store, { peers: () => [...open], notice, now: () => clock.now });
  const connect = (id: string, upToDate = true): Peer => {
    const peer = { id, sinceMs: clock.now, upToDate };
    open.add(peer);
    return peer;
  };
  /** Minute after minute, as the daemon looks. */
  const pass = (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      clock.now += MINUTE;
      record.look();
    }
  };
  return { store, laptop: laptop.id, nas: nas.id, clock, record, connect, open, pass };
}

test('a machine was seen until its connection ended, as is known after the daemon has', (t) => {
  const { store, laptop, clock, record, connect, open, pass } = watched(t);
  const peer = connect(laptop);
  pass(5);
  open.delete(peer);
  pass(10);
  record.close();
  assert.deepEqual(lastSeen(store, [], clock.now), new Map([[laptop, START + 5 * MINUTE]]));
});

test('a daemon that is killed has written it down before', (t) => {
  const { store, laptop, clock, connect, pass } = watched(t);
  connect(laptop);
  pass(59);
  assert.deepEqual(lastSeen(store, [], clock.now), new Map([[laptop, START + MINUTE]]), 'a connection is new');
  pass(41);
  assert.deepEqual(lastSeen(store, [], clock.now), new Map([[laptop, START + 60 * MINUTE]]), 'once an hour');
});

test('who has not told all of its feed yet, or had no time to, may have run what is not here', (t) => {
  const { store, laptop, nas, clock, record, connect, pass } = watched(t);
  const slow = connect(laptop, false);
  pass(30);
  connect(nas);
  clock.now += MINUTE - 1;
  record.close();
  assert.deepEqual(lastSeen(store, [], clock.now), new Map());
  assert.deepEqual(
    lastSeen(store, [slow, { id: nas, sinceMs: START, upToDate: true }], clock.now),
    new Map([[nas, clock.now]]),
  );
});

test('who is connected when the daemon ends was seen until then', (t) => {
  const { store, laptop, nas, clock, record, connect, pass } = watched(t);
  connect(laptop);
  pass(1);
  connect(nas);
  record.close();
  assert.deepEqual(lastSeen(store, [], clock.now), new Map([[laptop, START + MINUTE]]));
});

test('machines of which there is nothing here are not kept', (t) => {
  const { store, clock, record, connect, pass } = watched(t);
  connect('@stranger');
  pass(2);
  record.close();
  assert.deepEqual(lastSeen(store, [], clock.now), new Map());
});
