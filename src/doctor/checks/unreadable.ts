/** Messages of our types that do not hold what they must. */

import { type Finding, isOpen, type Machine } from '../finding.ts';
import { nameOf } from '../names.ts';

export function checkUnreadable(machine: Machine): Finding[] {
  if (!isOpen(machine.store)) return [];
  return machine.store
    .feeds()
    .filter(({ unreadable }) => unreadable > 0)
    .map(({ id, unreadable }) => ({
      code: 'unreadable',
      severity: 'info',
      message: `${unreadable} messages of ${nameOf(machine, id)} cannot be read, and are not in the log`,
      hint: 'update ssblog here if that machine has a newer one, and start the daemon: what can be read then is shown; they stay in its feed, signed as they are',
    }));
}
