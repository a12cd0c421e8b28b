/**
 * The two engines in one run: messages made and durable, messages of another feed verified and stored, for each second;
 * and how soon a daemon with a million messages listens. Rounds alternate, each in a process of its own.
 * Usage: npm run bench:engines [-- --rounds N] [--million]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const ENGINES = ['sqlite', 'ssb-server'] as const;
const SIZES = { small: { bytes: 200, messages: 20_000 }, large: { bytes: 7_500, messages: 5_000 } } as const;
const WORK = ['made', 'stored'] as const;

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, million: { type: 'boolean', default: false } },
});
const print = (text: string) => process.stdout.write(`${text}\n`);

/** @returns what the worker printed last */
async function work(...args: string[]): Promise<string> {
  const worker = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'engine-worker.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = '';
  for await (const line of createInterface(worker.stdout)) last = line;
  if (worker.exitCode === null) await once(worker, 'exit');
  if (worker.exitCode !== 0) throw new Error(`the worker for ${args.join(' ')} failed`);
  return last;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}

const rates = new Map<string, number[]>();
for (let round = 0; round < Number(flags.rounds); round += 1) {
  for (const kind of WORK) {
    for (const [size, { bytes, messages }] of Object.entries(SIZES)) {
      for (const engine of round % 2 === 0 ? ENGINES : [...ENGINES].reverse()) {
        const dir = mkdtempSync(join(tmpdir(), 'ssblog-bench-'));
        try {
          const rate = Number(await work(kind, engine, dir, String(messages), String(bytes)));
          const key = `${kind} ${size} ${engine}`;
          rates.set(key, [...(rates.get(key) ?? []), rate]);
        } finally {
          rmSync(dir, { recursive: true, force: true });
        }
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
  const dir = mkdtempSync(join(tmpdir(), 'ssblog-bench-'));
  try {
    const [messages, ms] = JSON.parse(await work('start', 'sqlite', dir, '1000000', '60')) as [number, number];
    print(
      `a peer with ${messages} messages answers after ${ms} ms (sqlite; opening of store and peer, without Node's start)`,
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
