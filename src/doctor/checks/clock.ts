/** Machines whose lines come from the future: their clocks are ahead, or this one's is behind. */

import { type Finding, isOpen, type Machine } from '../finding.ts';
import { nameOf } from '../names.ts';

/** Clocks that nobody sets differ by seconds; more is a mistake. */
const TOLERANCE_MS = 5 * 60_000;

export function checkClock(machine: Machine): Finding[] {
  if (!isOpen(machine.store)) return [];
  const now = machine.options.now();
  return machine.store.feeds().flatMap(({ id, lastAt }): Finding[] => {
    if (lastAt === undefined || lastAt <= now + TOLERANCE_MS) return [];
    return [
      {
        code: 'clock',
        severity: 'warning',
        message: `${nameOf(machine, id)} has lines from the future: ${new Date(lastAt).toISOString()}`,
        hint: `set the clock of that machine, or of this one, which says ${new Date(now).toISOString()}`,
      },
    ];
  });
}
