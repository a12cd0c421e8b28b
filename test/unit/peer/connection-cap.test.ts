import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { capConnections } from '../../../src/peer/connection-cap.ts';
import type { RemotePeer, SsbPeer } from '../../../src/peer/ssb/types.ts';

/** A peer with at most two connections of one machine, and three together; what is hung up on is recorded. */
function capped(...wanted: string[]) {
  const peer = Object.assign(new EventEmitter(), { id: '@me' });
  const ended: string[] = [];
  capConnections(peer as unknown as SsbPeer, {
    isWanted: (id) => wanted.includes(id),
    hangUp: (remote) => {
      ended.push(remote.stream.address);
      (remote as unknown as EventEmitter).emit('closed');
    },
    maxOfOne: 2,
    maxConnections: 3,
  });
  const connect = (id: string, address: string) => {
    const remote = Object.assign(new EventEmitter(), { id, stream: { address } });
    peer.emit('rpc:connect', remote as unknown as RemotePeer, false);
    return remote;
  };
  return { ended, connect };
}

test("the oldest of one machine's connections goes when it opens too many", () => {
  const { ended, connect } = capped();
  for (const address of ['1', '2', '3', '4']) connect('@a', address);
  assert.deepEqual(ended, ['1', '2']);
});

test('the oldest that is not followed goes when there are too many together', () => {
  const { ended, connect } = capped('@a');
  for (const id of ['@a', '@b', '@c', '@d', '@e']) connect(id, id);
  assert.deepEqual(ended, ['@b', '@c']);
});

test('where all are followed the last one has to wait, and comes in when there is room', () => {
  const { ended, connect } = capped('@a', '@b', '@c', '@d');
  const [first] = ['@a', '@b', '@c', '@d'].map((id) => connect(id, id));
  assert.deepEqual(ended, ['@d']);
  first?.emit('closed');
  connect('@d', '@d again');
  assert.deepEqual(ended, ['@d']);
});

test("this machine's own command line does not count", () => {
  const { ended, connect } = capped();
  for (let call = 0; call < 10; call += 1) connect('@me', String(call));
  assert.deepEqual(ended, []);
});
