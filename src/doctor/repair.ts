/** Does what findings ask for, each thing once, in an order in which one does not undo the other. */
import { SsblogError, systemCode } from '../errors.ts';
import { type Finding, type Machine, REPAIRS, type RepairName } from './finding.ts';

/** Of the operating system's errors; Node's own have an underscore. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

/** Works on a machine of which this process has nothing open. @throws SsblogError when it cannot be done now */
type Repair = (machine: Machine) => void | Promise<void>;

/** Each is loaded when it is needed: most are never. */
const LOAD: Readonly<Record<RepairName, () => Promise<Repair>>> = {
  modes: async () => (await import('./repairs/modes.ts')).repairModes,
  leftovers: async () => (await import('./repairs/leftovers.ts')).removeLeftovers,
  swap: async () => (await import('./repairs/salvage.ts')).finishSalvage,
  mark: async () => (await import('./repairs/mark.ts')).writeMark,
  salvage: async () => (await import('./repairs/salvage.ts')).salvage,
  flume: async () => (await import('./repairs/flume.ts')).cutFlume,
  mirror: async () => (await import('./repairs/mirror.ts')).makeMirrorAnew,
  labels: async () => (await import('./repairs/labels.ts')).redrawLabels,
  renew: async () => (await import('./repairs/renew.ts')).renew,
};

/** A store that was made anew has labels that were, too. */
const INCLUDED: Partial<Record<RepairName, readonly RepairName[]>> = {
  salvage: ['labels', 'mark'],
  mirror: ['labels'],
};

/** What was cut off flume is given back to it when a peer opens. */
const THEN: Partial<Record<RepairName, RepairName>> = { flume: 'renew' };

/**
 * @param machine closed: see `closeMachine`
 * @returns for each repair that could not be done why not
 */
export async function repair(machine: Machine, findings: readonly Finding[]): Promise<Map<RepairName, SsblogError>> {
  const wanted = new Set(findings.flatMap(({ repair }) => repair ?? []));
  for (const name of [...wanted]) for (const other of INCLUDED[name] ?? []) wanted.delete(other);
  for (const name of [...wanted]) {
    const next = THEN[name];
    if (next !== undefined) wanted.add(next);
  }
  const failed = new Map<RepairName, SsblogError>();
  for (const name of REPAIRS) {
    if (!wanted.has(name)) continue;
    try {
      const run = await LOAD[name]();
      await run(machine);
    } catch (error) {
      failed.set(name, reasonOf(error));
    }
  }
  return failed;
}

/** A disk that refuses is no bug. */
function reasonOf(error: unknown): SsblogError {
  if (error instanceof SsblogError) return error;
  if (!SYSTEM_CODE.test(systemCode(error) ?? '')) throw error;
  return new SsblogError('io', (error as Error).message, { hint: 'look at the disk and at the rights', cause: error });
}
