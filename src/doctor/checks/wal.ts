/** Whether the store's write-ahead log was left over, or grows because somebody holds it. */
import { statSync } from 'node:fs';
import type { Finding, Machine } from '../finding.ts';

/** Sixteen times what the writer lets it grow to when nobody reads. */
const LARGE_BYTES = 256 * 2 ** 20;
const MB = 1e6;

export function checkWal({ paths, daemon }: Machine): Finding[] {
  const wal = `${paths.store}-wal`;
  const bytes = statSync(wal, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > 0 && daemon.kind === 'none') {
    return [
      {
        code: 'wal-left',
        severity: 'info',
        message: `${wal} was left by a process that was killed; nothing in it is lost`,
        hint: 'it is taken into the store when the daemon starts; a copy of store.db without it is not whole',
        repair: 'renew',
      },
    ];
  }
  if (bytes < LARGE_BYTES) return [];
  return [
    {
      code: 'wal-large',
      severity: 'warning',
      message: `${wal} has ${Math.round(bytes / MB)} MB: a reader keeps it from being taken into the store`,
      hint: 'end the programs that hold the store open for long (a paused ssblog log, a database viewer)',
    },
  ];
}
