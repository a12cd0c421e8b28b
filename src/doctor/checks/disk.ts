/** Whether there is room on the disk. */
import { statfsSync } from 'node:fs';
import type { Finding, Machine } from '../finding.ts';

const MB = 1e6;
const LOW_BYTES = 500 * MB;
/** The writer's log (WAL) alone may need as much. */
const CRITICAL_BYTES = 50 * MB;

export function checkDisk({ paths }: Machine): Finding[] {
  const { bavail, bsize } = statfsSync(paths.dir);
  const free = bavail * bsize;
  if (free >= LOW_BYTES) return [];
  return [
    {
      code: 'disk',
      severity: free < CRITICAL_BYTES ? 'error' : 'warning',
      message: `only ${Math.round(free / MB)} MB are free on the disk of ${paths.dir}`,
      hint: 'free some space on that disk: when it is full, lines are lost',
    },
  ];
}
