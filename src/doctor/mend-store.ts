/** What a daemon does before it starts on a store that it cannot use. */
import type { ConfigSources } from '../config/load.ts';
import { examine } from './examine.ts';
import type { ExamineOptions, Finding, RepairName } from './finding.ts';
import { closeMachine, openMachine } from './open-machine.ts';
import { repair } from './repair.ts';

/** Nothing is lost by these that was not lost before: what they replace is kept. */
const OF_THE_STORE: ReadonlySet<RepairName> = new Set(['swap', 'mark', 'salvage', 'flume', 'mirror', 'labels']);

/**
 * Mends what keeps the store from being used, and says so. The machine must be at rest.
 * @returns whether anything was mended
 * @throws SsblogError when it cannot be
 */
export async function mendStore(sources: ConfigSources, options: ExamineOptions): Promise<boolean> {
  const machine = await openMachine(sources, options);
  let findings: Finding[];
  try {
    findings = await examine(machine);
  } finally {
    closeMachine(machine);
  }
  const wanted = findings.filter((finding) => finding.repair !== undefined && OF_THE_STORE.has(finding.repair));
  for (const { message } of wanted) options.notice(`it is being mended: ${message}`);
  const [failure] = (await repair(machine, wanted)).values();
  if (failure !== undefined) throw failure;
  return wanted.length > 0;
}
