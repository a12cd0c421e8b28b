/** What costs when nothing happens: a verb's process, the daemon's start, and its memory when it has nothing to do. */
import { setTimeout as delay } from 'node:timers/promises';
import { Machine, randomNetworkKey } from '../../test/helpers/machine.ts';
import { readCpuSeconds, readMemory } from '../../test/helpers/proc.ts';
import type { Running } from '../../test/helpers/running.ts';
import { runVerb } from '../machines/machine.ts';
import { type Bench, type Figure, type Measurement, OURS } from '../measurement.ts';
import { median } from '../report/statistics.ts';
import { untilPrinted } from '../work/timed.ts';
import { withSandbox } from '../work/with-sandbox.ts';

const TRIES = 5;
/** A daemon rests when processors did nothing measurable for it during this time. */
const REST_MS = 1_000;
const MAX_RESTS = 60;

export const rest: Measurement = {
  name: 'rest',
  contenders: (bench) => [{ name: OURS, measure: () => measure(bench) }],
};

async function measure({ archives, lines }: Bench): Promise<Figure[]> {
  const empty = await withSandbox(async (box) => {
    const machine = await Machine.make(box, 'laptop', randomNetworkKey(), 'sqlite');
    return [...(await whoami(machine)), ...(await startAndRest(machine, 0))];
  });
  return [...empty, ...(await startAndRest((await archives.get(lines)).machine, lines))];
}

async function whoami(machine: Machine): Promise<Figure[]> {
  const times: number[] = [];
  for (let run = 0; run < TRIES; run += 1) {
    const { ms, result } = await runVerb(machine, ['whoami']);
    if (result.text.trim() !== machine.id) throw new Error(`whoami printed ${result.text}`);
    times.push(ms);
  }
  return [{ metric: 'whoami, a whole process', contender: OURS, unit: 'ms', value: median(times) }];
}

async function startAndRest(machine: Machine, lines: number): Promise<Figure[]> {
  const what = `with ${lines.toLocaleString('en')} lines`;
  const started = performance.now();
  const daemon = machine.spawn('start');
  await untilPrinted(daemon, 'stderr', /listening/);
  const ms = performance.now() - started;
  const bytes = await residentAtRest(daemon);
  daemon.kill('SIGTERM');
  const { code, stderr } = await daemon.done();
  if (code !== 0) throw new Error(`the daemon ended with ${code}:\n${stderr}`);
  return [
    { metric: `daemon listens after its start, ${what}`, contender: OURS, unit: 'ms', value: ms },
    { metric: `daemon's memory at rest, ${what}`, contender: OURS, unit: 'MB', value: bytes / 1e6 },
  ];
}

async function residentAtRest({ pid }: Running): Promise<number> {
  let before: number | undefined;
  for (let rests = 0; rests < MAX_RESTS; rests += 1) {
    const cpuSeconds = readCpuSeconds(pid as number);
    const memory = readMemory(pid as number);
    if (cpuSeconds === undefined || memory === undefined) throw new Error('the daemon has ended');
    if (cpuSeconds === before) return memory.residentBytes;
    before = cpuSeconds;
    await delay(REST_MS);
  }
  throw new Error(`the daemon did not come to rest in ${(MAX_RESTS * REST_MS) / 1000} s`);
}
