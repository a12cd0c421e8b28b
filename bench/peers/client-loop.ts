/** A plain loop with ssb-client against a stock ssb-server: one publish after the other's answer, or many under way. */
import type { Contender } from '../measurement.ts';
import { rate } from '../metrics.ts';
import { publishToStock } from './stock-daemon.ts';

interface Rpc {
  publish(content: object, callback: (error: Error | null) => void): void;
}

/** Waits for each answer, and for the network at that: each way of a call is held up by a delayed acknowledgement. */
export function clientLoop(metrics: readonly string[], lines: number): Contender {
  return { ...loop('ssb-client loop', metrics, { lines, underWay: 1 }), isOnce: true };
}

/** The most that a loop gets out of a stock ssb-server. */
export function busyClientLoop(metrics: readonly string[], lines: number): Contender {
  return loop('ssb-client loop, 100 under way', metrics, { lines, underWay: 100 });
}

interface LoopOptions {
  readonly lines: number;
  /** So many calls wait for their answer at a time. */
  readonly underWay: number;
}

/** @param metrics it does the work of all of these, whose other contenders are given more lines */
function loop(name: string, metrics: readonly string[], { lines, underWay }: LoopOptions): Contender {
  return {
    name,
    isPeer: true,
    note: `${name}: ${lines.toLocaleString('en')} lines to a stock ssb-server, which never calls fsync`,
    measure: async ({ inputs }) => {
      const input = await inputs.get('mixed', lines);
      const ms = await publishToStock(input, async (stock, texts) => {
        const rpc = await stock.connect<Rpc>({ publish: 'async' });
        const left = texts.values();
        const publishAll = async () => {
          for (const text of left) {
            await new Promise<void>((resolve, reject) => {
              rpc.publish({ type: 'log', source: 'laptop', text }, (error) => (error ? reject(error) : resolve()));
            });
          }
        };
        await Promise.all(Array.from({ length: underWay }, publishAll));
        await new Promise<void>((resolve) => rpc.close(true, resolve));
      });
      return metrics.map((metric) => rate(metric, name, lines, ms));
    },
  };
}
