import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialPastHub } from '../../../src/peer/connections.ts';
import type { Callback, SsbPeer } from '../../../src/peer/ssb/types.ts';

const KEY = `${'A'.repeat(43)}=`;
const ADDRESS = `net:127.0.0.1:1~shs:${KEY}`;

/** A peer whose hub gives a connection that has ended, as ssb-conn's does; the network is the fake here. */
function dialling(connections: { closed: boolean; stream: { address: string } }[] = []) {
  const answers: Callback[] = [];
  const hub = { connect: (_address: string, callback: Callback) => callback(null, { closed: true }) };
  let connect: (address: string, callback: Callback) => unknown = hub.connect;
  const hook = (wrapper: (original: typeof connect, args: unknown[]) => unknown) => {
    const original = connect;
    connect = (...args) => wrapper(original, args);
  };
  dialPastHub({
    peers: { [`@${KEY}.ed25519`]: connections },
    conn: { connect: Object.assign(hub.connect, { hook }) },
    connect: (_address: string, callback: Callback) => answers.push(callback),
  } as unknown as SsbPeer);
  const results: unknown[] = [];
  const dial = () => void connect(ADDRESS, (error, remote) => results.push(error ?? remote));
  return { answers, results, dial };
}

const standing = { closed: false, stream: { address: ADDRESS } };

test('whoever dials is not given a connection that has ended', () => {
  const { answers, results, dial } = dialling([{ ...standing, closed: true }]);
  dial();
  answers.shift()?.(null, standing);
  assert.deepEqual(results, [standing]);
});

test('of one address one dial is under way at a time, and all who asked hear how it ends', () => {
  const { answers, results, dial } = dialling();
  dial();
  dial();
  assert.equal(answers.length, 1);
  const refused = new Error('refused');
  answers.shift()?.(refused);
  assert.deepEqual(results, [refused, refused]);
  dial();
  assert.equal(answers.length, 1, 'it is dialled anew');
});

test('a connection over that address that stands is not doubled', () => {
  const { answers, results, dial } = dialling([standing]);
  dial();
  assert.deepEqual([answers.length, results], [0, [standing]]);
});
