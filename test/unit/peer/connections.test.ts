import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { refuseCrossing, replaceOlder } from '../../../src/peer/connections.ts';
import type { RemotePeer, SsbPeer } from '../../../src/peer/ssb/types.ts';

/** secret-stack's part that decides who is let in. */
function gate(id: string) {
  let hook: ((this: unknown, original: () => void, args: unknown[]) => void) | undefined;
  const setHook = (wrapper: typeof hook) => {
    hook = wrapper;
  };
  const peer = { id, auth: { hook: setHook } } as unknown as SsbPeer;
  const isLetIn = (other: string) => {
    const refusals: unknown[] = [];
    hook?.call(undefined, () => undefined, [other, (error: unknown) => refusals.push(error)]);
    return refusals.length === 0;
  };
  return { peer, isLetIn };
}

for (const [mine, other, outgoingMs, expected] of [
  ['@a', '@b', 100, false],
  ['@b', '@a', 100, true],
  ['@a', '@b', undefined, true],
  ['@a', '@b', 3_000, true],
] as const) {
  const state = outgoingMs === undefined ? 'does not dial' : `dialled ${outgoingMs} ms ago`;
  test(`${mine} ${expected ? 'lets in' : 'refuses'} ${other}, which it ${state}`, () => {
    const { peer, isLetIn } = gate(mine);
    refuseCrossing(peer, () => outgoingMs);
    assert.equal(isLetIn(other), expected);
  });
}

/** Nobody is a copy here. */
const instances = { settled: async () => {} };
const settled = () => new Promise(setImmediate);

/** Connections with one machine; what closes them is recorded. */
function connections() {
  const peer = Object.assign(new EventEmitter(), { id: '@me' });
  const closed: string[] = [];
  const connect = (address: string, isClient: boolean) => {
    const remote = Object.assign(new EventEmitter(), {
      id: '@other',
      stream: { address },
      close: () => {
        closed.push(address);
        remote.emit('closed');
      },
    });
    peer.emit('rpc:connect', remote as unknown as RemotePeer, isClient);
  };
  return { peer: peer as unknown as SsbPeer, closed, connect };
}

test('of two connections with a machine the newer one stays, whoever dialled', async () => {
  const { peer, closed, connect } = connections();
  replaceOlder(peer, { instances, notice: () => assert.fail('nothing is suspicious') });
  for (const [address, isClient] of [
    ['1', false],
    ['2', true],
    ['3', false],
  ] as const) {
    connect(address, isClient);
    await settled();
  }
  assert.deepEqual(closed, ['1', '2']);
});

test('an identity that comes in again and again from elsewhere is told once', () => {
  const { peer, connect } = connections();
  const notices: string[] = [];
  replaceOlder(peer, { instances, notice: (_id, addresses) => notices.push(addresses.join(' ')), now: () => 0 });
  for (let index = 0; index < 6; index += 1) connect(String(index), false);
  assert.deepEqual(notices, ['2 3']);
});
