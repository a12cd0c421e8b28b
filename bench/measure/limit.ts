/** How fast this machine does the work that no design can leave out, on one core and with the same lines. */
import type { Measurement } from '../measurement.ts';
import { withSandbox } from '../work/with-sandbox.ts';
import { work } from '../work/worker.ts';

const MAX_LINES = 200_000;
const NAME = 'one process, nothing else';

export const limit: Measurement = {
  name: 'limit',
  contenders: () => [
    {
      name: NAME,
      measure: ({ inputs, lines }) =>
        withSandbox(async (box) => {
          const input = await inputs.get('mixed', Math.min(lines, MAX_LINES));
          const { answer } = await work(box, 'measure/limit-worker.ts', box.path('keys'), input.file);
          const { rates } = JSON.parse(answer) as { rates: Record<string, number> };
          return Object.entries(rates).map(([what, value]) => ({
            metric: `the limit, mixed lines in blocks: ${what}`,
            contender: NAME,
            unit: 'lines/s' as const,
            value,
          }));
        }),
    },
  ],
};
