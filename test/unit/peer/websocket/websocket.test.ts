import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { parse } from 'node:url';
import type { PullSource } from '../../../../src/peer/ssb/types.ts';
import type { Connection } from '../../../../src/peer/websocket/duplex.ts';
import { type Listener, type ListenerOptions, listen } from '../../../../src/peer/websocket/listener.ts';
import { websocketTransport } from '../../../../src/peer/websocket/transport.ts';

const HOST = '127.0.0.1';

interface Server {
  readonly listener: Listener;
  readonly connections: Connection[];
}

async function serve(t: TestContext, options: Partial<ListenerOptions> = {}): Promise<Server> {
  const connections: Connection[] = [];
  const onError = (error: Error) => assert.fail(error);
  const onConnection = (connection: Connection) => connections.push(connection);
  const listener = await new Promise<Listener>((resolve) => {
    const made = listen({ host: HOST, port: 0, onConnection, onError, ...options }, () => resolve(made));
  });
  t.after(() => new Promise<void>((resolve) => listener.close(resolve)));
  return { listener, connections };
}

const { create } = websocketTransport(assert.fail).transport;
const { client } = create({}) as {
  client(address: object, callback: (error: Error | null, connection?: Connection) => void): () => void;
};

function dial(url: string): Promise<Connection> {
  return new Promise((resolve, reject) => {
    client(parse(url), (error, connection) => (connection ? resolve(connection) : reject(error)));
  });
}

function read(source: PullSource<unknown>): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    source(null, (end, data) => resolve(end ? undefined : (data as Buffer)));
  });
}

/** @returns a function that ends what is sent */
function send(connection: Connection, ...pieces: Buffer[]): () => void {
  let end: (() => void) | undefined;
  connection.sink((abort, callback) => {
    const next = pieces.shift();
    if (abort) callback(abort);
    else if (next !== undefined) callback(null, next);
    else end = () => callback(true);
  });
  return () => end?.();
}

/** A client without a library: says what a test wants, byte by byte. */
async function rawSocket(t: TestContext, { port }: Listener): Promise<Socket> {
  const socket = connect(port, HOST);
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function upgraded(t: TestContext, listener: Listener): Promise<Socket> {
  const socket = await rawSocket(t, listener);
  const headers = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const key = Buffer.alloc(16).toString('base64');
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${headers.join('\r\n')}\r\nSec-WebSocket-Key: ${key}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1.1 101 /);
  return socket;
}

/** A frame as a client sends it (RFC 6455), masked with zeros. */
function frame(opcode: number, payload: Buffer): Buffer {
  const length = Buffer.alloc(9, 0x80 | 127);
  length.writeBigUInt64BE(BigInt(payload.length), 1);
  const header = payload.length < 126 ? Buffer.of(0x80 | payload.length) : length;
  return Buffer.concat([Buffer.of(0x80 | opcode), header, Buffer.alloc(4), payload]);
}
const BINARY = 2;
const PING = 9;

test('whatever plain HTTP asks for is not found', async (t) => {
  const { listener } = await serve(t);
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/msg/%25abc.sha256'],
    ['GET', '/blobs/get/&abc.sha256'],
    ['GET', '/invite'],
    ['POST', '/'],
    ['OPTIONS', '*'],
  ] as const) {
    const asked = request({ host: HOST, port: listener.port, method, path }).end();
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    assert.equal(response.statusCode, 404, path);
    response.resume();
  }
});

test('bytes pass in both directions, on any path, and the end of one side is the end of the other', async (t) => {
  const { listener, connections } = await serve(t);
  const near = await dial(`ws://${HOST}:${listener.port}/any/path`);
  const [far] = connections as [Connection];
  assert.match(far.address, /^ws:127\.0\.0\.1:\d+$/);
  const end = send(near, Buffer.from('one'), Buffer.alloc(5_000, 'x'));
  send(far, Buffer.from('answer'));
  assert.equal(String(await read(near.source)), 'answer');
  assert.equal(String(await read(far.source)), 'one');
  assert.equal((await read(far.source))?.length, 5_000);
  end();
  assert.equal(await read(far.source), undefined);
  assert.equal(await read(near.source), undefined);
});

test('a connection that ends while nobody reads has ended for who reads later', async (t) => {
  const { listener, connections } = await serve(t);
  const socket = await upgraded(t, listener);
  socket.destroy();
  await once(socket, 'close');
  await dial(`ws://${HOST}:${listener.port}`); // meanwhile the listener has heard of it
  assert.equal(await read((connections[0] as Connection).source), undefined);
});

test('who does not finish a request is hung up on', async (t) => {
  const { listener } = await serve(t, { requestMs: 100 });
  const socket = await rawSocket(t, listener);
  socket.resume().write('GET / HTTP/1.1\r\nHost:');
  await once(socket, 'close');
});

test('a frame that is larger than any peer sends ends the connection', async (t) => {
  const { listener, connections } = await serve(t);
  const socket = (await upgraded(t, listener)).resume();
  const [connection] = connections as [Connection];
  socket.write(frame(BINARY, Buffer.alloc(65_536)));
  assert.equal((await read(connection.source))?.length, 65_536);
  socket.write(frame(BINARY, Buffer.alloc(65_537)));
  await once(socket, 'close');
  assert.equal(await read(connection.source), undefined);
});

test('strangers push out the oldest stranger, and nobody who has proved who it is', async (t) => {
  const { listener, connections } = await serve(t, { maxUnproven: 3 });
  const member = await upgraded(t, listener);
  listener.proven(`${connections[0]?.address}~shs:KEY`);
  const strangers = [await upgraded(t, listener), await rawSocket(t, listener), await upgraded(t, listener)];
  const closed = once(strangers[0]?.resume() as Socket, 'close');
  await upgraded(t, listener);
  await closed;
  assert.deepEqual(
    [member, ...strangers.slice(1)].map(({ readyState }) => readyState),
    ['open', 'open', 'open'],
  );
});

test('beyond the limit of connections a new one is refused', async (t) => {
  const { listener } = await serve(t, { maxSockets: 1 });
  const first = await upgraded(t, listener);
  const second = await rawSocket(t, listener);
  if (!second.closed) await once(second.resume(), 'close');
  assert.equal(first.readyState, 'open');
});

test('a side that is gone without a word is noticed, one that answers stays', async (t) => {
  const { listener, connections } = await serve(t, { pingEveryMs: 100 });
  const gone = await upgraded(t, listener); // it answers no pings
  const alive = await dial(`ws://${HOST}:${listener.port}`);
  await once(gone.resume(), 'close');
  send(alive, Buffer.from('still here'));
  assert.equal(String(await read((connections[1] as Connection).source)), 'still here');
});

test('a frame that breaks the protocol ends the connection at once', async (t) => {
  const { listener, connections } = await serve(t);
  const socket = (await upgraded(t, listener)).resume();
  socket.write(frame(PING, Buffer.alloc(126)));
  await once(socket, 'close');
  assert.equal(await read((connections[0] as Connection).source), undefined);
});

test('who pings without end and never reads an answer is hung up on', async (t) => {
  const { listener } = await serve(t);
  const socket = await upgraded(t, listener);
  socket.pause();
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(PING, Buffer.alloc(125))));
  let sent = 0;
  while (!socket.destroyed && sent < 1_000) {
    sent += 1;
    await new Promise((resolve) => socket.write(pings, resolve));
  }
  assert.ok(socket.destroyed, `${sent * pings.length} bytes were taken`);
});

test('a dial that fails says why, once', async (t) => {
  const other = createHttpServer((_request, response) => response.writeHead(404).end()).listen(0, HOST);
  t.after(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  await assert.rejects(dial(`ws://${HOST}:${port}`), /404/);
  other.close();
  await once(other, 'close');
  await assert.rejects(dial(`ws://${HOST}:${port}`), /ECONNREFUSED/);
});

test('a port that is taken is told', async (t) => {
  const other = createServer().listen(0, HOST);
  t.after(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const errors: Error[] = [];
  await new Promise<void>((resolve) => {
    listen({ host: HOST, port, onConnection: () => undefined, onError: (error) => errors.push(error) }, resolve);
  });
  assert.match(String(errors), /EADDRINUSE/);
});
