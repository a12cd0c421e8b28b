/** Whether this machine waits for its own messages. */
import { mustCatchUp } from '../../peer/engines/own-feed-guard.ts';
import type { Finding, Machine } from '../finding.ts';

export function checkCatchUp({ paths }: Machine): Finding[] {
  if (!mustCatchUp(paths)) return [];
  return [
    {
      code: 'catch-up',
      severity: 'info',
      message:
        'the store may lack messages that this machine has signed: it must have them back before it writes others',
      hint: 'start the daemon and let a machine that follows this one connect: ssblog start',
    },
  ];
}
