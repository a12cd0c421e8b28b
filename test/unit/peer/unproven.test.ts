import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { limitUnproven } from '../../../src/peer/unproven.ts';

/** A port that takes everybody and says nothing. */
async function listen(t: TestContext): Promise<{ port: number; dial: () => Promise<Socket> }> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dialled: Socket[] = [];
  t.after(() => {
    server.close();
    for (const socket of [...accepted, ...dialled]) socket.destroy();
  });
  const dial = async () => {
    const socket = connect(port, '127.0.0.1').resume();
    socket.on('error', () => undefined); // it may be reset
    dialled.push(socket);
    await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
    return socket;
  };
  return { port, dial };
}

const addressOf = ({ localAddress, localPort }: Socket) => `net:${localAddress}:${localPort}~shs:x`;

test('whoever does not prove who it is makes room for the next; others stay', async (t) => {
  const { port, dial } = await listen(t);
  const limit = limitUnproven(port, 2);
  t.after(() => limit.close());
  const proven = await dial();
  limit.proven(addressOf(proven));
  const first = await dial();
  const others = [await dial()];
  const gone = once(first, 'close');
  others.push(await dial());
  await gone;
  assert.deepEqual(
    [proven, ...others].map(({ destroyed }) => destroyed),
    [false, false, false],
  );
});

test('other ports are left alone', async (t) => {
  const [limited, other] = [await listen(t), await listen(t)];
  const limit = limitUnproven(limited.port, 1);
  t.after(() => limit.close());
  const there = [await other.dial(), await other.dial(), await other.dial()];
  const first = await limited.dial();
  const gone = once(first, 'close');
  await limited.dial();
  await gone;
  assert.ok(there.every(({ destroyed }) => !destroyed));
});
