/** Temporary files of ours that nobody will use again. */

import type { Finding, Machine } from '../finding.ts';
import { leftovers } from '../leftovers.ts';

export function checkLeftovers({ paths, options, daemon }: Machine): Finding[] {
  const found = leftovers(paths, options);
  const [first, ...others] = found;
  if (first === undefined || daemon.kind === 'silent') return [];
  return [
    {
      code: 'leftovers',
      severity: 'info',
      message: `${first}${others.length > 0 ? ` and ${others.length} more` : ''} was left by a command that was killed`,
      hint: 'ssblog doctor --fix removes it',
      repair: 'leftovers',
    },
  ];
}
