/** Whether a daemon runs and answers. */
import type { Finding, Machine } from '../finding.ts';

export function checkDaemon({ daemon, paths }: Machine): Finding[] {
  switch (daemon.kind) {
    case 'running':
      return [];
    case 'none':
      return [
        {
          code: 'daemon-none',
          severity: 'info',
          message: 'no daemon runs: lines are written, and reach no other machine until one does',
          hint: 'ssblog start',
        },
      ];
    case 'silent': {
      const who = daemon.pid === undefined ? 'a process' : `process ${daemon.pid}`;
      return [
        {
          code: 'daemon-silent',
          severity: 'error',
          message: `${who} holds ${paths.dir} and does not answer`,
          hint:
            daemon.pid === undefined
              ? 'look for a process of ssblog that hangs, and end it'
              : `if it does not go on by itself, end it: kill ${daemon.pid} (then kill -9); the lock goes with it`,
        },
      ];
    }
    case 'unknown': {
      const { message, hint = 'look at the disk' } = daemon.failure;
      return [{ code: 'lock', severity: 'error', message, hint }];
    }
  }
}
