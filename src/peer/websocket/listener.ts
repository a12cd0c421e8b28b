/**
 * Listens for websockets. To plain HTTP it is a server that has nothing. Any path is upgraded, because proxies put one
 * before it, and any origin: a page of another site that makes a browser connect has neither the network key nor a key
 * pair, and so comes no further than the secret handshake.
 */
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import WebSocket from 'ws';
import { Unproven } from '../unproven.ts';
import { type Connection, connectionOf, FRAME_OPTIONS } from './duplex.ts';

/** Until a request is read whole: who is slower is hung up on. */
const REQUEST_MS = 10_000;
const CHECK_REQUESTS_EVERY_MS = 2_000;
const MAX_HEADER_BYTES = 8_192;
/** All together. A machine needs one. */
const MAX_SOCKETS = 2_048;

export interface ListenerOptions {
  readonly host?: string | undefined;
  readonly port: number;
  readonly onConnection: (connection: Connection) => void;
  /** It does not listen, or not any more. */
  readonly onError: (error: Error) => void;
  readonly maxUnproven?: number;
  readonly maxSockets?: number;
  readonly requestMs?: number;
  readonly pingEveryMs?: number;
}

export interface Listener {
  /** @param address of a connection (or one that begins with it) whose other side has proved who it is */
  proven(address: string): void;
  readonly port: number;
  /** Ends all connections. */
  close(closed: () => void): void;
}

/** @param started called when it listens, or cannot */
export function listen(options: ListenerOptions, started: () => void): Listener {
  const { maxSockets = MAX_SOCKETS, requestMs = REQUEST_MS } = options;
  const sockets = new Set<Socket>();
  const unproven = new Unproven(options.maxUnproven);
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: requestMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(CHECK_REQUESTS_EVERY_MS, requestMs),
  });
  server.on('request', (_request, response) => {
    response.writeHead(404, { connection: 'close', 'content-type': 'text/plain' }).end('Not found\n');
  });

  server.on('connection', (socket) => {
    if (sockets.size >= maxSockets) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    unproven.add(addressOf(socket), socket);
  });

  const webSockets = new WebSocket.Server({ ...FRAME_OPTIONS, noServer: true });
  server.on('upgrade', (request, socket: Socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      options.onConnection(connectionOf(webSocket, socket, addressOf(socket), options.pingEveryMs));
    });
  });

  server.on('error', (error) => {
    options.onError(error);
    started();
  });
  server.listen({ port: options.port, host: options.host }, started);

  return {
    proven: (address) => unproven.proven(address),
    get port() {
      return (server.address() as AddressInfo).port;
    },
    close(closed) {
      server.close(() => closed());
      for (const socket of sockets) socket.destroy();
    },
  };
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `ws:${remoteAddress}:${remotePort}`;
}
