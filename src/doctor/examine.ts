/** All checks, one after the other. What one throws is a finding too: the others still have their say. */
import { SsblogError } from '../errors.ts';
import { checkCatchUp } from './checks/catch-up.ts';
import { checkClock } from './checks/clock.ts';
import { checkConfig } from './checks/config.ts';
import { checkCrypto } from './checks/crypto.ts';
import { checkDaemon } from './checks/daemon.ts';
import { checkDisk } from './checks/disk.ts';
import { checkEngine } from './checks/engine.ts';
import { checkFlume } from './checks/flume.ts';
import { checkIdentity } from './checks/identity.ts';
import { checkLabels } from './checks/labels.ts';
import { checkLeftovers } from './checks/leftovers.ts';
import { checkModes } from './checks/modes.ts';
import { checkNotify } from './checks/notify.ts';
import { checkPort } from './checks/port.ts';
import { checkRecordMark } from './checks/record-mark.ts';
import { checkReplication } from './checks/replication.ts';
import { checkSalvage } from './checks/salvage.ts';
import { checkSignatures } from './checks/signatures.ts';
import { checkSocket } from './checks/socket.ts';
import { checkSpool } from './checks/spool.ts';
import { checkStore } from './checks/store.ts';
import { checkUnreadable } from './checks/unreadable.ts';
import { checkWal } from './checks/wal.ts';
import type { Check, Finding, Machine } from './finding.ts';

/** Of the operating system's errors; Node's own have an underscore. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

/** What the store's own checks find, the others do not have to meet again. */
const CHECKS: readonly Check[] = [
  checkModes,
  checkConfig,
  checkIdentity,
  checkDaemon,
  checkSocket,
  checkPort,
  checkDisk,
  checkCrypto,
  checkLeftovers,
  checkEngine,
  checkSalvage,
  checkRecordMark,
  checkWal,
  checkSpool,
  checkCatchUp,
  checkUnreadable,
  checkClock,
  checkReplication,
  checkNotify,
  checkSignatures,
  checkLabels,
  checkFlume,
];

export async function examine(machine: Machine): Promise<Finding[]> {
  const store = await run(checkStore, machine);
  const isDamaged = store.some(({ severity }) => severity === 'error');
  // What stands in a damaged store says nothing.
  const seen = isDamaged ? { ...machine, store: undefined } : machine;
  const findings: Finding[] = [...store];
  for (const check of CHECKS) findings.push(...(await run(check, seen)));
  return findings;
}

async function run(check: Check, machine: Machine): Promise<Finding[]> {
  try {
    return await check(machine);
  } catch (error) {
    const { message, code } = error as { message: string; code?: unknown };
    const isForeseen = error instanceof SsblogError || SYSTEM_CODE.test(String(code));
    if (machine.options.signal.aborted || !isForeseen) throw error;
    const hint = error instanceof SsblogError ? error.hint : undefined;
    return [
      {
        code: String(code).toLowerCase(),
        severity: 'error',
        message,
        hint: hint ?? 'look at the disk and at the rights of the directory',
      },
    ];
  }
}
