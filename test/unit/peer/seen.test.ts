/** Who was connected is known after the daemon has ended. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { lastSeen, recordSeen } from '../../../src/peer/seen.ts';
import { FakeFeed, freshStore } from '../store/fake-feed.ts';

const START = 1_000_000;
const MINUTE = 60_000;

function watched(t: TestContext) {
  const store = freshStore(t);
  const [laptop, nas] = [new FakeFeed('laptop'), new FakeFeed('nas')];
  store.ingest([laptop.message({ type: 'log', text: 'a' }), nas.message({ type: 'log', text: 'b' })]);
  const clock = { now: START };
  const open = new Set<{ id: string; sinceMs: number; address: string; direction: 'incoming' }>();
  const listeners = new Set<(peer: { id: string; sinceMs: number; address: string; direction: 'incoming' }) => void>();
  const record = recordSeen(
    store,
    {
      list: () => [...open],
      onClosed: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    { notice: (text) => assert.fail(text), now: () => clock.now },
  );
  const connect = (id: string) => {
    const entry = { id, sinceMs: clock.now, address: '', direction: 'incoming' as const };
    open.add(entry);
    return () => {
      open.delete(entry);
      for (const listener of listeners) listener(entry);
    };
  };
  return { store, laptop: laptop.id, nas: nas.id, clock, record, connect };
}

test('a machine was seen until its connection ended', (t) => {
  const { store, laptop, clock, connect } = watched(t);
  const close = connect(laptop);
  clock.now += 5 * MINUTE;
  close();
  clock.now += 99 * MINUTE;
  assert.deepEqual(lastSeen(store, [], clock.now), new Map([[laptop, START + 5 * MINUTE]]));
});

test('one that is connected is seen now, when it had the time to tell what it has to', (t) => {
  const { store, laptop, nas } = watched(t);
  const peers = [
    { id: laptop, sinceMs: START },
    { id: nas, sinceMs: START + 1 },
  ];
  assert.deepEqual(lastSeen(store, peers, START + MINUTE), new Map([[laptop, START + MINUTE]]));
});

test('who is connected when the daemon ends was seen until then', (t) => {
  const { store, laptop, nas, clock, record, connect } = watched(t);
  connect(laptop);
  clock.now += MINUTE;
  connect(nas);
  record.close();
  assert.deepEqual(lastSeen(store, [], clock.now), new Map([[laptop, START + MINUTE]]));
});

test('machines of which there is nothing here are not kept', (t) => {
  const { store, clock, connect } = watched(t);
  const close = connect('@stranger');
  clock.now += MINUTE;
  close();
  assert.deepEqual(lastSeen(store, [], clock.now), new Map());
});
