/** Whether this machine may write its own feed. */
import { readHold } from '../../peer/own-feed/hold-text.ts';
import { isForGood } from '../../peer/own-feed/state-file.ts';
import type { Finding, Machine } from '../finding.ts';

export function checkCatchUp({ paths }: Machine): Finding[] {
  const hold = readHold(paths.ownFeed);
  if (hold === null) return [];
  const { reason, message, hint } = hold;
  // A machine that catches up mends itself; a second user of its identity must be ended by hand.
  return [{ code: 'catch-up', severity: isForGood(reason) ? 'error' : 'info', message, hint }];
}
