/**
 * The two engines in one run: messages made and durable, messages of another feed verified and stored, for each second;
 * and how soon a daemon with a million messages listens. Rounds alternate, each in a process of its own.
 * Usage: npm run bench:engines [-- --rounds N] [--million]
 */
import { parseArgs } from 'node:util';
import { median } from './report/statistics.ts';
import { withSandbox } from './work/with-sandbox.ts';
import { work } from './work/worker.ts';

const ENGINES = ['sqlite', 'ssb-server'] as const;
const SIZES = { small: { bytes: 200, messages: 20_000 }, large: { bytes: 7_500, messages: 15_000 } } as const;
const WORK = ['made', 'stored'] as const;

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, million: { type: 'boolean', default: false } },
});
const print = (text: string) => process.stdout.write(`${text}\n`);

/** @returns what the worker printed last */
function answer(kind: string, engine: string, ...args: string[]): Promise<string> {
  return withSandbox(
    async (box) => (await work(box, 'engine-worker.ts', kind, engine, box.path('machine'), ...args)).answer,
  );
}

const rates = new Map<string, number[]>();
for (let round = 0; round < Number(flags.rounds); round += 1) {
  for (const kind of WORK) {
    for (const [size, { bytes, messages }] of Object.entries(SIZES)) {
      for (const engine of round % 2 === 0 ? ENGINES : [...ENGINES].reverse()) {
        const rate = Number(await answer(kind, engine, String(messages), String(bytes)));
        const key = `${kind} ${size} ${engine}`;
        rates.set(key, [...(rates.get(key) ?? []), rate]);
      }
    }
  }
}

print('messages/s, medians                   sqlite   ssb-server   ratio');
for (const [kind, title] of [
  ['made', 'made and durable'],
  ['stored', 'verified and stored'],
]) {
  for (const [size, { bytes }] of Object.entries(SIZES)) {
    const [ours, other] = ENGINES.map((engine) => median(rates.get(`${kind} ${size} ${engine}`) ?? []));
    const columns = [Math.round(Number(ours)), Math.round(Number(other))].map((rate) => String(rate).padStart(10));
    print(
      `${`${title}, ${bytes} bytes`.padEnd(33)} ${columns.join('   ')}   ${(Number(ours) / Number(other)).toFixed(2)}`,
    );
  }
}
if (flags.million) {
  const [messages, ms] = JSON.parse(await answer('start', 'sqlite', '1000000', '60')) as [number, number];
  print(
    `a peer with ${messages} messages answers after ${ms} ms (sqlite; opening of store and peer, without Node's start)`,
  );
}
