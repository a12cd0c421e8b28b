/** With --verify: every message's signature, id, and link to the one before it. */
import { verifyStore } from '../../peer/engines/sqlite/verify.ts';
import { storeRepair } from '../engine-repairs.ts';
import { type Finding, isOpen, type Machine } from '../finding.ts';
import { nameOf } from '../names.ts';

export async function checkSignatures(machine: Machine): Promise<Finding[]> {
  const { store, options } = machine;
  if (!options.thorough || !isOpen(store)) return [];
  const total = store.messageCount();
  const problems = await verifyStore(store, {
    verified: new Map(),
    signal: options.signal,
    onStep: (messages) => options.onProgress('verifying', messages, total),
  });
  const repair = storeRepair(machine);
  return problems.map(({ feed, sequence, reason }) => ({
    code: 'signature',
    severity: 'error',
    message: `message ${sequence} of ${nameOf(machine, feed)} is not as it must be: ${reason}`,
    hint: 'ssblog doctor --fix keeps the messages before it, and asks peers for the others',
    ...(repair && { repair }),
  }));
}
