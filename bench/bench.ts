/**
 * ssblog and others on the same lines, in one run: a table on stdout, and a JSON file and a picture in a directory.
 * Everything is done by the built command line in processes of its own, in temporary directories, on loopback; and
 * every result is looked at: exit status 1 when one is wrong. CONTRIBUTING.md has the flags.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Inputs } from './input/inputs.ts';
import { joinLogs, prepareLogs } from './input/logs.ts';
import { Archives } from './machines/archive.ts';
import { assemble } from './measure/assemble.ts';
import { catchUp } from './measure/catch-up.ts';
import { latency } from './measure/latency.ts';
import { limit } from './measure/limit.ts';
import { pipe, single } from './measure/pipe.ts';
import { replicate } from './measure/replicate.ts';
import { rest } from './measure/rest.ts';
import { size } from './measure/size.ts';
import type { Bench, Measurement } from './measurement.ts';
import { describeHost, hostLine } from './report/host.ts';
import { summarise } from './report/summary.ts';
import { picture } from './report/svg.ts';
import { table } from './report/table.ts';
import { type Outcome, runRounds } from './rounds.ts';
import { withSandbox } from './work/with-sandbox.ts';

const MEASUREMENTS: readonly Measurement[] = [pipe, single, replicate, assemble, latency, catchUp, size, rest, limit];
const RESULTS = join(import.meta.dirname, 'results');
const LINES = 1_000_000;
const SHORT_LINES = 50_000;
const ROUNDS = 3;

const { values: flags } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    lines: { type: 'string' },
    only: { type: 'string' },
    logs: { type: 'string' },
    out: { type: 'string' },
    peers: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const print = (text: string) => process.stdout.write(text);
const tell = (text: string) => process.stderr.write(`${text}\n`);

function positive(name: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (!/^[1-9]\d*$/.test(value)) throw new Error(`--${name}: "${value}" is not a number above 0`);
  return Number(value);
}

function chosen(only: string | undefined): readonly Measurement[] {
  if (only === undefined) return MEASUREMENTS;
  return only.split(',').map((name) => {
    const measurement = MEASUREMENTS.find((one) => one.name === name);
    if (measurement !== undefined) return measurement;
    throw new Error(`--only: there is no "${name}"; there are ${MEASUREMENTS.map((one) => one.name).join(', ')}`);
  });
}

function report(outcome: Outcome, about: { lines: number; rounds: number; logs: string }): void {
  const host = describeHost(new Date());
  const metrics = summarise(outcome.figures);
  print(`\n${hostLine(host)}; ${about.lines.toLocaleString('en')} lines of ${about.logs}; rounds: ${about.rounds}\n\n`);
  print(table(metrics));
  print(`\n${[...outcome.notes, ...outcome.missing].map((line) => `- ${line}`).join('\n')}\n`);
  // A short form must not take the place of what the README shows.
  const out = flags.out ?? (flags.short ? join(RESULTS, 'short') : RESULTS);
  mkdirSync(out, { recursive: true });
  const { notes, missing } = outcome;
  const failures = outcome.failures.map(
    ({ measurement, contender, error }) => `${measurement}, ${contender}: ${error.message}`,
  );
  const json = JSON.stringify({ host, ...about, metrics, notes, missing, failures }, null, 2);
  writeFileSync(join(out, 'bench.json'), `${json}\n`);
  writeFileSync(join(out, 'bench.svg'), picture(metrics, hostLine(host)));
  for (const { measurement, contender, error } of outcome.failures)
    tell(`\n${measurement}, ${contender}: ${error.stack}`);
  tell(outcome.failures.length === 0 ? 'every result was right' : `${outcome.failures.length} WRONG`);
  if (outcome.failures.length > 0) process.exitCode = 1;
}

const measurements = chosen(flags.only);
const rounds = positive('rounds', flags.rounds, flags.short ? 1 : ROUNDS);
const lines = positive('lines', flags.lines, flags.short ? SHORT_LINES : LINES);

await withSandbox(async (box) => {
  const logs = prepareLogs(box.dir, flags.logs ?? process.env.SSBLOG_BENCH_LOGS);
  const inputs = new Inputs(box.dir, logs);
  const bench: Bench = {
    box,
    isShort: flags.short,
    lines,
    logs,
    logsAsTheyAre: joinLogs(box.path('all-logs.txt'), logs.all),
    inputs,
    archives: new Archives(box, inputs),
  };
  const outcome = await runRounds(bench, measurements, { rounds, withPeers: flags.peers, onTurn: tell });
  report(outcome, { lines, rounds, logs: logs.origin });
});
