import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import sodium from 'chloride';
import fc from 'fast-check';
import {
  type Announcement,
  lanKey,
  MAX_ECHOES,
  openAnnouncement,
  PACKET_BYTES,
  sealAnnouncement,
} from '../../../../src/peer/lan/packet.ts';

const ssbKeys = createRequire(import.meta.url)('ssb-keys') as {
  generate(): { id: string; public: string; private: string };
};
const key = lanKey(randomBytes(32).toString('base64'));
const keys = ssbKeys.generate();
const token = () => randomBytes(8).toString('hex');
const said = (more: Partial<Announcement> = {}): Announcement => ({
  address: '192.168.1.5',
  port: 8018,
  id: keys.id,
  token: token(),
  number: 7,
  echoes: [token(), token()],
  ...more,
});

for (const address of ['192.168.1.5', '0.0.0.0', 'fe80::1', 'fe80::d8e0:3bff:fe53:15ce', '2001:db8::1:0:0:1', '::1']) {
  test(`an announcement from ${address} comes out as it went in`, () => {
    const announcement = said({ address });
    assert.deepEqual(openAnnouncement(key, sealAnnouncement(key, keys, announcement)), announcement);
  });
}

test('a packet tells nothing by its length, and never looks the same', () => {
  const full = said({ echoes: Array.from({ length: MAX_ECHOES }, token), address: 'fe80::1' });
  const packets = [said({ echoes: [] }), said(), full, full].map((one) => sealAnnouncement(key, keys, one));
  assert.deepEqual(new Set(packets.map(({ length }) => length)), new Set([PACKET_BYTES]));
  const [, , first, second] = packets as [Buffer, Buffer, Buffer, Buffer];
  const common = first.filter((byte, index) => byte === second[index]).length;
  assert.ok(common < 16, `${common} bytes of two packets are the same`);
});

test('nothing of another network is opened', () => {
  const other = lanKey(randomBytes(32).toString('base64'));
  assert.equal(openAnnouncement(other, sealAnnouncement(key, keys, said())), undefined);
});

test('a machine with the network key cannot speak for another one, nor carry its words into another network', () => {
  const packet = sealAnnouncement(key, keys, said());
  const reseal = (into: Buffer, change: (body: Buffer) => void) => {
    const opened = sodium.crypto_secretbox_open_easy(packet.subarray(24), packet.subarray(0, 24), key);
    assert.ok(opened);
    const body = Buffer.from(opened);
    change(body);
    const nonce = randomBytes(24);
    return openAnnouncement(into, Buffer.concat([nonce, sodium.crypto_secretbox_easy(body, nonce, into)]));
  };
  assert.ok(reseal(key, () => undefined));
  assert.equal(
    reseal(key, (body) => body.writeUInt16BE(1, 17)),
    undefined,
  );
  assert.equal(
    reseal(lanKey(randomBytes(32).toString('base64')), () => undefined),
    undefined,
  );
});

test('no byte can be changed, and whatever else comes is no announcement', () => {
  const packet = sealAnnouncement(key, keys, said());
  fc.assert(
    fc.property(fc.nat(PACKET_BYTES - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(packet);
      changed.writeUInt8(changed.readUInt8(at) ^ change, at);
      assert.equal(openAnnouncement(key, changed), undefined);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      assert.equal(openAnnouncement(key, Buffer.from(bytes)), undefined);
    }),
  );
});
