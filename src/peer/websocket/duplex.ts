/** A websocket as multiserver wants a connection, with an end for one whose other side is gone or does not read. */
import type { Socket } from 'node:net';
import toPull from 'stream-to-pull-stream';
import WebSocket from 'ws';
import type { PullDuplex } from '../ssb/types.ts';

/**
 * Far more than a peer sends in one frame: the secret handshake's cipher cuts all into pieces of 4 KB. Who sends more
 * is hung up on before it is kept.
 */
const MAX_FRAME_BYTES = 65_536;
/** Of both sides of a connection: the same in what is dialled and what is accepted. */
export const FRAME_OPTIONS = { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false } as const;

/** Proxies let go of a connection on which nothing is said for a minute. */
const PING_EVERY_MS = 25_000;
/** What may wait to be sent when a ping comes: each is answered, also to who never reads an answer. */
const MAX_UNSENT_BYTES = 1_048_576;

/** A duplex pull-stream with the address of its other side, as multiserver's transports give them. */
export type Connection = PullDuplex & { readonly address: string };

/** @param socket the TCP (or TLS) connection that carries an open websocket */
export function connectionOf(
  webSocket: WebSocket,
  socket: Socket,
  address: string,
  pingEveryMs = PING_EVERY_MS,
): Connection {
  // Who breaks the protocol gets no half a minute to say goodbye. The stream below hears why it ends.
  webSocket.on('error', () => webSocket.terminate());
  let heardBytes = socket.bytesRead;
  let isAsked = false;
  const timer = setInterval(() => {
    if (isAsked && socket.bytesRead === heardBytes) webSocket.terminate();
    heardBytes = socket.bytesRead;
    isAsked = true;
    if (webSocket.readyState === WebSocket.OPEN) webSocket.ping();
  }, pingEveryMs);
  timer.unref();
  webSocket.once('close', () => clearInterval(timer));
  webSocket.on('ping', () => {
    if (socket.writableLength > MAX_UNSENT_BYTES) webSocket.terminate();
  });
  return { ...toPull.duplex(WebSocket.createWebSocketStream(webSocket)), address };
}
