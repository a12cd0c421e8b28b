/**
 * Websockets as a transport of multiserver. Addresses are those of its own plugin; connections are not: that one leaves
 * a closed connection open for ever when nobody was reading just then, takes frames of 100 MB, keeps all that comes and
 * is not read, ends the process when its port is taken, and believes what a page on this computer says of its address.
 */
import { format, type UrlObject } from 'node:url';
import webSocketAddresses from 'multiserver/plugins/ws.js';
import WebSocket from 'ws';
import { type Connection, connectionOf, FRAME_OPTIONS } from './duplex.ts';
import { type Listener, listen } from './listener.ts';

const DIAL_MS = 10_000;

interface IncomingOptions {
  readonly host?: string;
  readonly port: number;
}

export interface WebsocketTransport {
  /** What secret-stack is given. */
  readonly transport: { readonly name: 'ws'; create(options: object): unknown };
  /** A connection's other side has proved who it is. */
  proven(address: string): void;
}

/** @param onError hears why it does not listen */
export function websocketTransport(onError: (error: Error) => void): WebsocketTransport {
  let listener: Listener | undefined;
  const create = (options: object) => ({
    ...webSocketAddresses({ ...options }),
    server(onConnection: (connection: Connection) => void, started: () => void) {
      const { host, port } = options as IncomingOptions;
      listener = listen({ host, port, onConnection, onError }, started);
      return listener.close;
    },
    client: dial,
  });
  return { transport: { name: 'ws', create }, proven: (address) => listener?.proven(address) };
}

function dial(address: UrlObject, callback: (error: Error | null, connection?: Connection) => void): () => void {
  const url = format(address);
  const webSocket = new WebSocket(url, { ...FRAME_OPTIONS, handshakeTimeout: DIAL_MS });
  webSocket.once('upgrade', ({ socket }) => {
    webSocket.once('open', () => callback(null, connectionOf(webSocket, socket, url)));
  });
  let isOver = false;
  webSocket.once('open', () => {
    isOver = true;
  });
  webSocket.on('error', (error) => {
    if (isOver) return;
    isOver = true;
    callback(error);
  });
  return () => webSocket.terminate();
}
