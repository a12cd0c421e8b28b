/** Where the daemon's unix socket is, the same for the daemon and for who calls it. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { MachinePaths } from '../config/paths.ts';
import { SsblogError } from '../errors.ts';

/** sun_path holds 108 bytes on Linux and 104 on macOS, the final NUL included. */
const MAX_SOCKET_PATH_BYTES = 100;

/** multiserver's unix-socket plugin always names it so. */
const SOCKET_NAME = 'socket';

/** What ends or separates a part of a multiserver address. */
const ADDRESS_SYNTAX = /[~;!]/;

/**
 * The directory of the socket: the machine's own, or, where its path is too long or would not survive in an address,
 * one in /tmp.
 * Not $TMPDIR or $XDG_RUNTIME_DIR: cron and a login session must find the same one.
 */
export function socketDirectory(paths: MachinePaths): string {
  const isShort = Buffer.byteLength(join(paths.dir, SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES;
  if (isShort && !ADDRESS_SYNTAX.test(paths.dir)) return paths.dir;
  const name = createHash('sha256').update(paths.dir).digest('hex').slice(0, 20);
  return `/tmp/ssblog-${process.getuid?.() ?? 0}-${name}`;
}

export function socketPath(paths: MachinePaths): string {
  return join(socketDirectory(paths), SOCKET_NAME);
}

/**
 * Makes a socket directory outside the machine's own, or checks the one that is there: who owns it could
 * otherwise pose as the daemon.
 * @throws SsblogError `peer` when it belongs to somebody else or is open to others
 */
export function secureSocketDirectory(paths: MachinePaths): void {
  const dir = socketDirectory(paths);
  if (dir === paths.dir) return;
  mkdirSync(dir, { mode: 0o700, recursive: true });
  const found = lstatSync(dir);
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return;
  throw new SsblogError('peer', `${dir} is not a directory of this user's alone`, {
    hint: 'remove it, or give the machine a shorter --path',
  });
}

/** Whether a peer listens on the machine's socket. Without loading the SSB stack, so that a reader starts fast. */
export function isDaemonListening(paths: MachinePaths): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(paths));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // ENOENT or ECONNREFUSED: nobody there. Anything else a caller that goes on will meet again, with its reason.
    socket.once('error', () => resolve(false));
  });
}
