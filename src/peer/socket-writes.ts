/**
 * How sockets send. TCP waits up to 40 ms to send a small packet together with the next one (Nagle's algorithm against
 * delayed acknowledgements), which no message here is worth. On the other hand a message is written in a dozen pieces,
 * each a call of the operating system: what is written in one turn goes out in one. multiserver offers no way to its
 * sockets; Node tells of each.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const CHANNELS = ['net.client.socket', 'net.server.socket'];

/** @returns a function that leaves sockets of later connections alone */
export function tuneSockets(): () => void {
  const onSocket = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    socket.setNoDelay(true);
    writeByTurns(socket);
  };
  for (const channel of CHANNELS) subscribe(channel, onSocket);
  return () => {
    for (const channel of CHANNELS) unsubscribe(channel, onSocket);
  };
}

function writeByTurns(socket: Socket): void {
  const write = socket.write as (...args: unknown[]) => boolean;
  const destroy = socket.destroy as (...args: unknown[]) => Socket;
  let isCorked = false;
  const uncork = () => {
    if (!isCorked) return;
    isCorked = false;
    socket.uncork();
  };
  socket.write = (...args: unknown[]) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(uncork);
    }
    return write.apply(socket, args);
  };
  // What was written before it still goes out: an answer must not be lost because the connection ends with it.
  socket.destroy = (...args: unknown[]) => {
    uncork();
    return destroy.apply(socket, args);
  };
}
