/**
 * TCP waits up to 40 ms to send a small packet together with the next one (Nagle's algorithm against delayed
 * acknowledgements), which no message here is worth. multiserver offers no way to its sockets; Node tells of each.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const CHANNELS = ['net.client.socket', 'net.server.socket'];

/** @returns a function that leaves sockets of later connections alone */
export function sendAtOnce(): () => void {
  const onSocket = (message: unknown) => (message as { socket: Socket }).socket.setNoDelay(true);
  for (const channel of CHANNELS) subscribe(channel, onSocket);
  return () => {
    for (const channel of CHANNELS) unsubscribe(channel, onSocket);
  };
}
