/**
 * The TCP connections of this process, whoever made them: multiserver offers no way to its sockets. A connection whose
 * address this machine has lost is dead, and TCP would not say so for a quarter of an hour.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';

const CHANNELS = ['net.client.socket', 'net.server.socket'];
/** Then the operating system asks whether the other side is there: of use with who answers no pings. */
const KEEP_ALIVE_AFTER_MS = 30_000;

export interface OpenSockets {
  /** @param address of a connection, as it is named: `net:HOST:PORT`, or `ws:HOST:PORT` of one that came in, and more */
  find(address: string): Socket | undefined;
  /** Ends those whose address here is gone. */
  endStranded(): void;
  /** Leaves later ones alone. */
  close(): void;
}

export function trackSockets(): OpenSockets {
  const sockets = new Set<Socket>();
  const onSocket = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    sockets.add(socket);
    socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
    socket.once('close', () => sockets.delete(socket));
  };
  for (const channel of CHANNELS) subscribe(channel, onSocket);
  return {
    find: (address) =>
      [...sockets].reverse().find(({ remoteAddress, remotePort }) => {
        const end = `:${remoteAddress}:${remotePort}~`;
        return address.startsWith(`net${end}`) || address.startsWith(`ws${end}`);
      }),
    endStranded() {
      const infos = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
      const here = new Set(infos.map(({ address }) => plain(address)));
      for (const socket of sockets) {
        const { localAddress } = socket; // none: a unix socket, or not connected yet
        if (localAddress !== undefined && !here.has(plain(localAddress))) socket.destroy();
      }
    },
    close() {
      for (const channel of CHANNELS) unsubscribe(channel, onSocket);
    },
  };
}

function plain(address: string): string {
  return (address.split('%', 1)[0] ?? '').replace(/^::ffff:/, '');
}
