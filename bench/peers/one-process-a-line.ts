/** The old way: a process of `ssb-server publish` for each line. */
import { stockCommand } from '../../test/helpers/stock.ts';
import type { Contender } from '../measurement.ts';
import { rate } from '../metrics.ts';
import { runTimed } from '../work/timed.ts';
import { publishToStock } from './stock-daemon.ts';

const NAME = 'xargs ssb-server publish';

export function oneProcessALine(metric: string, lines: number): Contender {
  return {
    name: NAME,
    isPeer: true,
    isOnce: true,
    note: `${NAME}: ${lines.toLocaleString('en')} lines, a process for each`,
    measure: async ({ inputs }) => {
      const input = await inputs.get('mixed', lines);
      const ms = await publishToStock(input, async (stock) => {
        const publish = ['publish', '--type', 'log', '--source', 'laptop', '--text', '{}'];
        const command = ['xargs', '-d', '\\n', '-I{}', ...stockCommand(stock, ...publish)];
        await runTimed(stock.box, command, { stdin: input.file });
      });
      return [rate(metric, NAME, lines, ms)];
    },
  };
}
