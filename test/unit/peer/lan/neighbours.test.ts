import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Neighbours } from '../../../../src/peer/lan/neighbours.ts';
import { MAX_ECHOES } from '../../../../src/peer/lan/packet.ts';

/** A machine on the LAN; its clock may be as wrong as it likes. */
function machine(self: string, clock: { now: number }, offsetMs = 0) {
  const newToken = () => randomBytes(8).toString('hex');
  const neighbours = new Neighbours({ self, now: () => clock.now + offsetMs, newToken });
  return { neighbours, say: () => ({ ...neighbours.next(), address: self, port: 1 }) };
}

test('machines whose clocks are days apart find each other after each has spoken and been answered', () => {
  const clock = { now: 1e12 };
  const a = machine('a', clock);
  const b = machine('b', clock, -3 * 86_400_000);
  assert.equal(b.neighbours.hear(a.say(), 'at a'), undefined, 'it may be an old packet');
  assert.equal(a.neighbours.hear(b.say(), 'at b'), 'at b', 'it knows what a said just now');
  assert.equal(b.neighbours.hear(a.say(), 'at a'), 'at a');
  assert.deepEqual(
    b.neighbours.list().map(({ id, addresses }) => [id, addresses]),
    [['a', ['at a']]],
  );
});

test('a packet that comes again finds nobody: not at once, not later, not in another network', () => {
  const clock = { now: 0 };
  const a = machine('a', clock);
  const b = machine('b', clock);
  b.neighbours.hear(a.say(), 'at a');
  const recorded = b.say();
  assert.equal(a.neighbours.hear(recorded, 'at b'), 'at b');
  assert.equal(a.neighbours.hear(recorded, 'at the thief'), undefined);
  a.neighbours.moved();
  assert.equal(a.neighbours.hear(recorded, 'at the thief'), undefined);
  assert.deepEqual(a.neighbours.list(), []);
});

test('a packet that was kept from its receiver is worth nothing some minutes later', () => {
  const clock = { now: 0 };
  const a = machine('a', clock);
  const b = machine('b', clock);
  b.neighbours.hear(a.say(), 'at a');
  const recorded = b.say();
  clock.now += 300_001;
  a.say();
  clock.now += 10_001;
  assert.equal(a.neighbours.hear(recorded, 'at the thief'), undefined);
});

test('who is not heard any more is not there any more, and is found anew', () => {
  const clock = { now: 0 };
  const a = machine('a', clock);
  const b = machine('b', clock);
  const meet = () => {
    b.neighbours.hear(a.say(), 'at a');
    return a.neighbours.hear(b.say(), 'at b');
  };
  assert.equal(meet(), 'at b');
  assert.equal(meet(), undefined, 'it is known');
  clock.now += 60_000;
  assert.deepEqual(a.neighbours.list(), []);
  assert.equal(meet(), 'at b');
});

test('where more machines are than fit into a packet, each is answered in turn', () => {
  const clock = { now: 0 };
  const hub = machine('hub', clock);
  const others = Array.from({ length: MAX_ECHOES + 18 }, (_, index) => machine(`m${index}`, clock));
  for (const { say } of others) hub.neighbours.hear(say(), 'there');
  for (const packet of [hub.say(), hub.say()]) for (const { neighbours } of others) neighbours.hear(packet, 'hub');
  assert.ok(others.every(({ neighbours }) => neighbours.list().length === 1));
});

test('what is remembered is bounded, and who is there is not pushed out', () => {
  const clock = { now: 0 };
  const a = machine('a', clock);
  const b = machine('b', clock);
  b.neighbours.hear(a.say(), 'at a');
  a.neighbours.hear(b.say(), 'at b');
  for (let index = 0; index < 5_000; index += 1) a.neighbours.hear({ ...b.say(), id: `liar ${index}` }, 'there');
  assert.ok(a.neighbours.list().length <= 1_024);
  assert.ok(a.neighbours.list().some(({ id }) => id === 'b'));
});
