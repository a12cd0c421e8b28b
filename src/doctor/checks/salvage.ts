/** Whether a repair of the store was interrupted just before its end. */
import { existsSync } from 'node:fs';
import type { Finding, Machine } from '../finding.ts';

export function checkSalvage({ paths }: Machine): Finding[] {
  if (!existsSync(paths.salvaged)) return [];
  return [
    {
      code: 'salvage-interrupted',
      severity: 'error',
      message: `${paths.salvaged} is what was saved of a damaged store, and did not come into its place`,
      hint: 'ssblog doctor --fix puts it there',
      repair: 'swap',
    },
  ];
}
