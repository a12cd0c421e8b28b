/** Whether the store can be opened, has this version's tables, and is sound. */
import { existsSync } from 'node:fs';
import { SsblogError } from '../../errors.ts';
import { flumeBytes } from '../../peer/engines/freshness.ts';
import { hadRecord } from '../../peer/engines/record-mark.ts';
import { StoreUnusable } from '../../store/failures.ts';
import { storeRepair } from '../engine-repairs.ts';
import { type Finding, isOpen, type Machine } from '../finding.ts';

const ANEW = 'ssblog doctor --fix makes it anew from the feeds';
const SAVE = 'ssblog doctor --fix saves every message that can be read, and keeps the old file beside';

export function checkStore(machine: Machine): Finding[] {
  const { store, options } = machine;
  if (store === undefined) return missing(machine);
  if (!isOpen(store)) return unusable(machine, store);
  try {
    const [problem, ...others] = store.problems(options.thorough);
    if (problem === undefined) return [];
    return [damaged(machine, others.length === 0 ? problem : `${problem} (and ${others.length} more)`)];
  } catch (error) {
    if (!(error instanceof SsblogError)) throw error;
    return unusable(machine, error);
  }
}

function missing({ paths, config }: Machine): Finding[] {
  // An interrupted repair has a finding of its own.
  if (existsSync(paths.salvaged)) return [];
  if (hadRecord(paths) && !(isOpen(config) && config.engine === 'ssb-server' && flumeBytes(paths) > 0)) {
    return [
      {
        code: 'store-gone',
        severity: 'error',
        message: `${paths.store}, which held the feeds of this machine, is gone`,
        hint: 'put a backup of it in its place; without one, ssblog doctor --fix begins an empty one, which takes its messages from peers',
        repair: 'salvage',
      },
    ];
  }
  if (flumeBytes(paths) === 0) return []; // a new machine
  return [
    {
      code: 'store-none',
      severity: 'info',
      message: `there is no store at ${paths.store} yet`,
      hint: 'it is made from the feeds when the daemon starts, or by the next command',
      repair: 'renew',
    },
  ];
}

function unusable(machine: Machine, error: SsblogError): Finding[] {
  const { message, hint = 'look at the disk' } = error;
  if (!(error instanceof StoreUnusable)) return [{ code: 'store', severity: 'error', message, hint }];
  if (error.reason === 'damaged') return [damaged(machine, message)];
  return [{ code: 'store-version', severity: 'warning', message, hint, repair: 'renew' }];
}

function damaged(machine: Machine, problem: string): Finding {
  const { paths, config } = machine;
  const repair = storeRepair(machine);
  return {
    code: 'store-damaged',
    severity: 'error',
    message: problem.includes(paths.store) ? problem : `the store ${paths.store} is damaged: ${problem}`,
    hint: isOpen(config) ? (repair === 'mirror' ? ANEW : SAVE) : 'mend config.json first',
    ...(repair && { repair }),
  };
}
