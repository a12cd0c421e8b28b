/** Where the daemon's socket is, and whether somebody else could sit there. */
import { existsSync } from 'node:fs';
import { SsblogError } from '../../errors.ts';
import { secureSocketDirectory, socketDirectory, socketPath } from '../../peer/socket.ts';
import type { Finding, Machine } from '../finding.ts';

export function checkSocket({ paths, daemon }: Machine): Finding[] {
  const directory = socketDirectory(paths);
  if (daemon.kind === 'running' && !existsSync(socketPath(paths))) {
    const hint = 'start the daemon again: ssblog stop, ssblog start';
    return [{ code: 'socket-gone', severity: 'error', message: `${socketPath(paths)} was removed`, hint }];
  }
  if (directory === paths.dir || !existsSync(directory)) return [];
  try {
    secureSocketDirectory(paths);
  } catch (error) {
    if (!(error instanceof SsblogError)) throw error;
    const { message, hint = 'remove it' } = error;
    return [{ code: 'socket-unsafe', severity: 'error', message, hint }];
  }
  return [];
}
