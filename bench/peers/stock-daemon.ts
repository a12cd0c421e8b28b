/** A stock ssb-server that somebody publishes lines to, and whether it has them. */
import { readFileSync } from 'node:fs';
import { randomNetworkKey } from '../../test/helpers/machine.ts';
import { StockDaemon, stockMessages } from '../../test/helpers/stock.ts';
import type { InputFile } from '../input/logs.ts';
import { withSandbox } from '../work/with-sandbox.ts';

/**
 * @param publish publishes every line of the input as one message
 * @returns how long that took
 * @throws when the daemon does not have these lines then
 */
export function publishToStock(
  input: InputFile,
  publish: (stock: StockDaemon, lines: readonly string[]) => Promise<void>,
): Promise<number> {
  return withSandbox(async (box) => {
    const stock = await StockDaemon.make(box, randomNetworkKey());
    await stock.start();
    const lines = readFileSync(input.file, 'utf8').slice(0, -1).split('\n');
    const started = performance.now();
    await publish(stock, lines);
    const ms = performance.now() - started;
    const texts = (await stockMessages(stock)).map(({ value }) => value.content.text);
    await stock.stop();
    if (texts.join('\n') !== lines.join('\n')) {
      throw new Error(`of ${lines.length} lines the stock ssb-server has ${texts.length}, or other ones`);
    }
    return ms;
  });
}
