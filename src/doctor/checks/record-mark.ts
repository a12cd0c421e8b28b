/** Whether the mark beside a store that is the record of its feeds is there. */
import { hadRecord, isRecord } from '../../peer/engines/record-mark.ts';
import { type Finding, isOpen, type Machine } from '../finding.ts';

export function checkRecordMark({ paths, store, config }: Machine): Finding[] {
  if (!isOpen(store) || !isOpen(config) || config.engine !== 'sqlite') return [];
  if (isRecord(store) && !hadRecord(paths)) {
    return [
      {
        code: 'record-mark',
        severity: 'warning',
        message: `${paths.recordMark} is missing: if the store were lost, nobody would notice, and the feed would fork`,
        hint: 'ssblog doctor --fix writes it; so does the next start of the daemon',
        repair: 'mark',
      },
    ];
  }
  if (isRecord(store) || !hadRecord(paths)) return [];
  return [
    {
      code: 'record-other',
      severity: 'error',
      message: `${paths.store} is not the store that held the feeds of this machine (${paths.recordMark} says that there was one)`,
      hint: 'put the right one back, from a backup',
    },
  ];
}
