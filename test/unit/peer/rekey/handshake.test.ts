import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import shs from 'multiserver/plugins/shs.js';
import ssbKeys from 'ssb-keys';
import toPull from 'stream-to-pull-stream';
import type { Identity } from '../../../../src/config/identity.ts';
import { handshakes } from '../../../../src/peer/rekey/handshake.ts';
import { Keyring } from '../../../../src/peer/rekey/keyring.ts';
import type { PullDuplex } from '../../../../src/peer/ssb/types.ts';

const { generate } = ssbKeys as unknown as { generate(): Identity };
type Transform = {
  create(
    target?: object,
  ): (
    stream: PullDuplex,
    callback: (error: Error | null, secure?: { remote: Buffer; meta?: { networkKey: string } }) => void,
  ) => void;
  parse(text: string): object | null;
  stringify(): string;
};

const [NEW, OLD, OTHER] = [randomBytes(32), randomBytes(32), randomBytes(32)].map((key) => key.toString('base64')) as [
  string,
  string,
  string,
];

function machine({ keyring, mayUseOld = () => true }: { keyring: Keyring; mayUseOld?: (id: string) => boolean }) {
  const identity = generate();
  const transform = handshakes({
    identity,
    keyring,
    timeoutMs: 5_000,
    mayUseOld,
    authorize: (_id, callback) => callback(null),
  }).create() as Transform;
  return { identity, keyring, transform };
}

function stock(key: string): { transform: Transform } {
  const identity = generate();
  const bytes = (text: string) => Buffer.from(text.replace('.ed25519', ''), 'base64');
  const keys = { publicKey: bytes(identity.public), secretKey: bytes(identity.private) };
  return {
    transform: shs({
      keys,
      appKey: key,
      timeout: 5_000,
      authenticate: (_key: Buffer, callback: (error: null, allowed: true) => void) => callback(null, true),
    }) as Transform,
  };
}

interface Outcome {
  readonly error: Error | null;
  readonly key?: string | undefined;
}

/** One dial over a real connection. */
async function meet(
  t: TestContext,
  client: { transform: Transform },
  server: { transform: Transform },
): Promise<{ client: Outcome; server: Outcome }> {
  const sockets: Socket[] = [];
  const side = (transform: Transform, socket: Socket, target?: object) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    return new Promise<Outcome>((resolve) => {
      transform.create(target)(toPull.duplex(socket), (error, secure) =>
        resolve({ error, key: secure?.meta?.networkKey }),
      );
    });
  };
  let served: Promise<Outcome> | undefined;
  const listener = createServer();
  const accepted = new Promise<Outcome>((resolve) => {
    listener.once('connection', (socket) => {
      served = side(server.transform, socket);
      void served.then(resolve);
    });
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const { port } = listener.address() as { port: number };
  const target = client.transform.parse(server.transform.stringify()) ?? {};
  const dialled = side(client.transform, connect(port, '127.0.0.1'), target);
  const [clientOutcome, serverOutcome] = await Promise.all([dialled, accepted]);
  return { client: clientOutcome, server: serverOutcome };
}

const changed = () => new Keyring(NEW, [{ key: OLD, untilMs: Number.POSITIVE_INFINITY }]);

test('who is dialled takes the current key and an old one, from stock peers too, and no other', async (t) => {
  const server = machine({ keyring: changed() });
  for (const [key, used] of [
    [NEW, NEW],
    [OLD, OLD],
  ] as const) {
    assert.deepEqual((await meet(t, machine({ keyring: new Keyring(key) }), server)).server, {
      error: null,
      key: used,
    });
    assert.deepEqual((await meet(t, stock(key), server)).server, { error: null, key: used });
  }
  for (const client of [machine({ keyring: new Keyring(OTHER) }), stock(OTHER)]) {
    const met = await meet(t, client, server);
    assert.match(String(met.server.error), /client sent invalid challenge/);
    assert.match(String(met.client.error), /phase 1/);
  }
});

test('who dials offers the current key, then the old one to those that have no other', async (t) => {
  const client = machine({ keyring: changed() });
  for (const server of [machine({ keyring: new Keyring(OLD) }), stock(OLD)]) {
    assert.match(String((await meet(t, client, server)).client.error), /phase 1/);
    assert.deepEqual((await meet(t, client, server)).client, { error: null, key: OLD });
  }
  for (const server of [machine({ keyring: new Keyring(NEW) }), stock(NEW)]) {
    assert.deepEqual((await meet(t, client, server)).client, { error: null, key: NEW });
  }
});

test('who may not use an old key is refused with it, and not dialled with it', async (t) => {
  const closed = machine({ keyring: changed(), mayUseOld: () => false });
  const behind = machine({ keyring: new Keyring(OLD) });
  const met = await meet(t, behind, closed);
  assert.match(String(met.server.error), /old network key/);
  assert.ok(met.client.error);
  for (let dial = 0; dial < 3; dial += 1) {
    const dialled = await meet(t, closed, behind);
    assert.match(String(dialled.client.error), /phase 1/);
    assert.match(String(dialled.server.error), /invalid challenge/);
  }
  assert.equal((await meet(t, machine({ keyring: new Keyring(NEW) }), closed)).server.error, null);
});

test('an old key whose time is over is refused', async (t) => {
  const server = machine({ keyring: new Keyring(NEW, [{ key: OLD, untilMs: 1 }]) });
  assert.match(String((await meet(t, stock(OLD), server)).server.error), /client sent invalid challenge/);
});
