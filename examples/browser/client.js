/** A client of a relay, in a browser: the secret handshake and muxrpc over a websocket, with the network key. */
import sodium from 'chloride';
import muxrpc from 'muxrpc';
import pull from 'pull-stream';
import duplex from 'pull-websocket/duplex.js';
import secretHandshake from 'secret-handshake';
import { linesOf } from './lines.js';

/** All that is called here. A relay answers this, `manifest` and `ebt.replicate` to whoever has the network key. */
const MANIFEST = { createHistoryStream: 'source' };
const ADDRESS = /^(wss?:\/\/[^~\s]+)~shs:([A-Za-z0-9+/]{43}=)$/;
const HANDSHAKE_MS = 15_000;

/** A key pair for the page: `{publicKey, secretKey}`. */
export function newKeys() {
  const { publicKey, secretKey } = sodium.crypto_sign_keypair();
  return { publicKey: Buffer.from(publicKey), secretKey: Buffer.from(secretKey) };
}

/** The id that SSB knows a public key by. */
export function idOf(publicKey) {
  return `@${Buffer.from(publicKey).toString('base64')}.ed25519`;
}

/**
 * @param address `ws://HOST:PORT~shs:KEY` or `wss://…`, as `ssblog status` prints it on the relay
 * @param networkKey 32 bytes in base64
 * @param onClosed called when a connection that stood has ended
 * @returns a connection for `readLines`, with a `close` of its own
 */
export function connect(address, networkKey, keys, onClosed) {
  const [, url, relayKey] = ADDRESS.exec(address) ?? [];
  if (url === undefined) return Promise.reject(new Error('an address looks like wss://HOST~shs:KEY'));
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const stream = duplex(socket, { binaryType: 'arraybuffer' });
    socket.addEventListener('error', () => reject(new Error(`${url} cannot be reached`)));
    socket.addEventListener('close', () => reject(new Error('the relay hung up: is the network key right?')));
    socket.addEventListener('open', () => {
      const shake = secretHandshake.createClient(keys, Buffer.from(networkKey, 'base64'), HANDSHAKE_MS);
      const shaken = shake(Buffer.from(relayKey, 'base64'), (error, secured) => {
        if (error) return reject(new Error('the handshake failed: is the network key right?', { cause: error }));
        const rpc = muxrpc(MANIFEST, false, null);
        pull(secured, rpc.stream, secured);
        socket.addEventListener('close', onClosed);
        resolve({ rpc, relay: `@${relayKey}.ed25519`, close: () => socket.close() });
      });
      pull(stream, shaken, stream);
    });
  });
}

/**
 * Reads the feeds of the relay and of the machines that it follows, from their beginnings on, and what comes.
 * @param onLine called with each `{at, source, destination, text}`, those of one machine in their order
 * @param onRefused called with the error when the relay does not give a feed
 */
export function readLines({ rpc, relay }, onLine, onRefused) {
  const feeds = new Set();
  const read = (id) => {
    if (feeds.has(id)) return;
    feeds.add(id);
    pull(
      rpc.createHistoryStream({ id, live: true, keys: false }),
      pull.drain(
        (message) => {
          const { content } = message;
          if (id === relay && content?.type === 'contact' && content.following === true) read(content.contact);
          for (const line of linesOf(message)) onLine(line);
        },
        (end) => {
          // A connection that ends tells its owner so, by onClosed.
          if (end !== null && end !== true && !rpc.closed) onRefused(end);
        },
      ),
    );
  };
  read(relay);
}
