import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { after, test } from 'node:test';
import { Instances, seesTwin } from '../../../src/peer/instances.ts';
import type { Callback, RemotePeer, SsbPeer } from '../../../src/peer/ssb/types.ts';

const LAPTOP = '@laptop';

/** What waits for an answer keeps no process alive. */
const alive = setInterval(() => undefined, 1_000);
after(() => clearInterval(alive));

interface Says {
  readonly instance?: string;
  readonly hasTwin?: boolean;
  /** Its question is never answered. */
  readonly isMute?: boolean;
}

function connection({ instance, hasTwin, isMute = false }: Says, id = LAPTOP): RemotePeer & EventEmitter {
  const answer = (value: unknown) => (callback: Callback) => {
    if (isMute) return;
    if (value === undefined) callback(new Error('no async:ssblog.instance'));
    else callback(null, value);
  };
  return Object.assign(new EventEmitter(), {
    id,
    stream: { address: `net:of ${instance}` },
    ssblog: { instance: answer(instance), hasTwin: answer(hasTwin) },
  }) as unknown as RemotePeer & EventEmitter;
}

function watched() {
  const instances = new Instances();
  const peer = Object.assign(new EventEmitter(), { id: '@nas' });
  const notices: (readonly string[])[] = [];
  instances.watch(peer as unknown as SsbPeer, (_id, addresses) => notices.push(addresses));
  return { instances, notices, connect: (remote: RemotePeer) => peer.emit('rpc:connect', remote, false) };
}

for (const { what, others, expected } of [
  { what: 'one connection', others: [], expected: false },
  { what: 'a second connection of the same process', others: [{ instance: 'a' }], expected: false },
  { what: 'a connection of another process', others: [{ instance: 'b' }], expected: true },
  { what: 'a connection of a stock peer', others: [{}], expected: false },
  { what: 'three connections, one of another process', others: [{ instance: 'a' }, { instance: 'b' }], expected: true },
]) {
  test(`${what}: ${expected ? 'two machines' : 'one machine'}`, async () => {
    const { instances, notices, connect } = watched();
    for (const says of [{ instance: 'a' }, ...others]) connect(connection(says));
    assert.equal(await instances.hasTwins(LAPTOP), expected);
    assert.equal(await instances.hasTwins('@other'), false);
    assert.equal(notices.length, expected ? 1 : 0);
  });
}

test('a connection that has died without a word counts for nothing', async () => {
  const { instances, connect } = watched();
  connect(connection({ isMute: true }));
  connect(connection({ instance: 'b' }));
  assert.equal(await instances.hasTwins(LAPTOP), false);
});

test('when both are gone, the next one is alone', async () => {
  const { instances, connect } = watched();
  const both = [connection({ instance: 'a' }), connection({ instance: 'b' })];
  for (const remote of both) connect(remote);
  assert.equal(await instances.hasTwins(LAPTOP), true);
  for (const remote of both) remote.emit('closed');
  connect(connection({ instance: 'c' }));
  assert.equal(await instances.hasTwins(LAPTOP), false);
});

test('a machine believes only a plain yes', async () => {
  assert.equal(await seesTwin(connection({ hasTwin: true })), true);
  assert.equal(await seesTwin(connection({ hasTwin: false })), false);
  assert.equal(await seesTwin(connection({})), false);
});
