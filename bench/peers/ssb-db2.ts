/** ssb-db2, the newer database of Secure Scuttlebutt: an optional install, no dependency of the project. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from '../measurement.ts';
import { rate } from '../metrics.ts';
import { withSandbox } from '../work/with-sandbox.ts';
import { work } from '../work/worker.ts';

const NAME = 'ssb-db2 create';
const INSTALLED = join(import.meta.dirname, 'node_modules', 'ssb-db2');

export function ssbDb2(metric: string, lines: number): Contender {
  return {
    name: NAME,
    isPeer: true,
    note: 'ssb-db2 calls back, and tells peers, up to 250 ms before its log is fsynced: not durable when it says so',
    missing: () => (existsSync(INSTALLED) ? undefined : 'ssb-db2 is not installed (npm run bench:peers-install)'),
    measure: ({ inputs }) =>
      withSandbox(async (box) => {
        const input = await inputs.get('mixed', lines);
        const { answer } = await work(box, 'peers/ssb-db2-worker.ts', box.path('db2'), input.file);
        const { ms, messages } = JSON.parse(answer) as { ms: number; messages: number };
        if (messages !== lines) throw new Error(`ssb-db2 holds ${messages} messages instead of ${lines}`);
        return [rate(metric, NAME, lines, ms)];
      }),
  };
}
