import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { PullDuplex, PullSource } from '../../../src/peer/ssb/types.ts';
import { Traffic, type TrafficLimits } from '../../../src/peer/traffic.ts';

type Codec = Parameters<Traffic['limit']>[0];
const packetStreamCodec = createRequire(import.meta.url)('packet-stream-codec') as Codec;

const HEAD_BYTES = 9;

/** A connection whose packets the test sends and receives by hand. */
function connection(traffic: Traffic, id: string) {
  const reasons: string[] = [];
  const limit = traffic.limit(packetStreamCodec, id, (reason) => reasons.push(reason));
  let send: ((end: null, packet: object) => void) | undefined;
  const packets: PullDuplex = {
    source: (abort, callback) => {
      if (abort) callback(abort);
      else send = callback;
    },
    sink: (read) => {
      const next = () => read(null, (end) => (end ? undefined : setImmediate(next)));
      next();
    },
  };
  const wire = limit.codec(packets);
  let receive: ((end: null, bytes: Buffer) => void) | undefined;
  const incoming: PullSource<Buffer> = (_abort, callback) => {
    receive = callback;
  };
  wire.sink(incoming);
  const read = () => wire.source(null, () => undefined);
  read(); // it begins with what comes then: its head is sent, its body waits
  return {
    reasons,
    limit,
    /** A packet whose body is so long. */
    send: (req: number, bytes: number, flags = { stream: true, end: false }) =>
      send?.(null, { req, value: Buffer.alloc(bytes), ...flags }),
    receive: async (req: number) => {
      const head = Buffer.alloc(HEAD_BYTES + 1);
      head.writeUInt8(8); // a stream's bytes
      head.writeUInt32BE(1, 1);
      head.writeInt32BE(req, 5);
      receive?.(null, head);
      await turn();
    },
    read,
  };
}

const turn = () => new Promise(setImmediate);

function full(limits: Partial<TrafficLimits>) {
  const traffic = new Traffic(limits);
  const drained: string[] = [];
  traffic.onDrained((id) => drained.push(id));
  return { traffic, drained };
}

test('a machine is full while much waits for it, and is told of when half of it is gone', () => {
  const { traffic, drained } = full({ pauseBytes: 100 });
  const one = connection(traffic, '@a');
  one.send(-1, 100);
  assert.equal(traffic.isFull('@a'), false);
  one.send(-1, 20);
  assert.equal(traffic.isFull('@a'), true);
  assert.equal(traffic.isFull('@b'), false);
  one.read();
  assert.deepEqual([drained, traffic.isFull('@a')], [['@a'], false]);
});

test('when much waits for all together, each may have a little only', () => {
  const { traffic } = full({ pauseBytes: 1_000, sharedBytes: 1_500, littleBytes: 10 });
  const [one, other] = [connection(traffic, '@a'), connection(traffic, '@b')];
  one.send(-1, 900);
  assert.equal(traffic.isFull('@a'), false);
  other.send(-1, 900);
  assert.deepEqual([traffic.isFull('@a'), traffic.isFull('@b')], [true, true]);
});

test('what waited for a connection that has ended counts no more', () => {
  const { traffic, drained } = full({ pauseBytes: 100 });
  const one = connection(traffic, '@a');
  one.send(-1, 200);
  assert.equal(traffic.isFull('@a'), true);
  one.limit.closed();
  one.send(-1, 200);
  assert.deepEqual([traffic.isFull('@a'), drained], [false, ['@a']]);
});

test('a connection with too many calls open must end; those that are over do not count', async () => {
  const { traffic } = full({ maxOpenCalls: 3 });
  const one = connection(traffic, '@a');
  for (let call = 1; call <= 10; call += 1) {
    await one.receive(call);
    one.send(-call, 1, { stream: true, end: true });
    if (call > 1) one.read();
  }
  assert.deepEqual(one.reasons, []);
  for (let call = 11; call <= 14; call += 1) await one.receive(call);
  assert.match(one.reasons.join(), /^it has more than 3 calls open$/);
});

test('a connection must end whose other side does not take its answers', async () => {
  const { traffic } = full({ maxUnsentBytes: 1_000 });
  const one = connection(traffic, '@a');
  one.send(-1, 900, { stream: false, end: false });
  await turn();
  assert.deepEqual(one.reasons, []);
  one.send(-2, 900, { stream: false, end: false });
  await turn();
  assert.match(one.reasons.join(), /does not read/);
});
