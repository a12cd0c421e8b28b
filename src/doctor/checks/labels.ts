/** With --verify: whether labels, runs, contacts and names are what the messages give. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Finding, isOpen, type Machine } from '../finding.ts';

export async function checkLabels({ store, options }: Machine): Promise<Finding[]> {
  if (!options.thorough || !isOpen(store)) return [];
  const total = store.messageCount();
  const steps = store.compare();
  try {
    for (;;) {
      const step = steps.next();
      if (step.done) {
        return step.value.map(({ table, rows, example }) => ({
          code: 'labels',
          severity: 'error',
          message: `${rows} rows of ${table} are not what the messages give, for example ${example}`,
          hint: 'ssblog doctor --fix draws them anew from the messages',
          repair: 'labels',
        }));
      }
      options.onProgress('comparing', step.value, total);
      await nextTurn();
      options.signal.throwIfAborted();
    }
  } finally {
    steps.return([]);
  }
}
