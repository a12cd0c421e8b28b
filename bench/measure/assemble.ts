/** The combined log into a file: how rate and memory grow with the log; again after a few new lines; one job of it. */
import { rm } from 'node:fs/promises';
import type { Archive } from '../machines/archive.ts';
import { RARE_JOB } from '../machines/archive.ts';
import { assembleChecked, checkCombined, runVerb } from '../machines/machine.ts';
import { type Bench, type Figure, type Measurement, OURS } from '../measurement.ts';
import { assembleMemory, assembleRate, rate } from '../metrics.ts';

const SIZES = [10_000, 100_000, 1_000_000, 10_000_000];
const MAX_SHORT_LINES = 100_000;
const NEW_LINES = 100;

export const assemble: Measurement = {
  name: 'assemble',
  contenders: (bench) => [{ name: OURS, measure: () => measureAll(bench) }],
};

async function measureAll(bench: Bench): Promise<Figure[]> {
  const sizes = bench.isShort ? SIZES.filter((lines) => lines <= MAX_SHORT_LINES) : SIZES;
  const figures: Figure[] = [];
  for (const size of sizes) {
    const archive = await bench.archives.get(size);
    const file = bench.box.path('combined.log');
    const { ms, peakBytes } = await assembleOnce(archive, file);
    figures.push(rate(assembleRate(size), OURS, archive.lines, ms));
    figures.push({ metric: assembleMemory(size), contender: OURS, unit: 'MB', value: peakBytes / 1e6 });
    if (size === sizes.at(-1)) {
      figures.push(await again(bench, archive, file), await oneJob(bench, archive));
    }
    await rm(file);
  }
  return figures;
}

function assembleOnce({ machine, inputs }: Archive, file: string) {
  return assembleChecked(machine, file, inputs, machine.name);
}

/** Onto the file that is there, after few lines have come. */
async function again({ inputs }: Bench, archive: Archive, file: string): Promise<Figure> {
  await archive.append(await inputs.get('regular', NEW_LINES));
  const { ms } = await assembleOnce(archive, file);
  const metric = `assemble again after ${NEW_LINES} new lines, in the largest log`;
  return { metric, contender: OURS, unit: 'ms', value: ms };
}

async function oneJob({ box }: Bench, { machine, rare }: Archive): Promise<Figure> {
  const file = box.path('one-job.log');
  const { ms } = await runVerb(machine, ['log', '--job', RARE_JOB], { stdout: file });
  await checkCombined(file, [rare], machine.name);
  const metric = `log of one job of ${rare.lines.toLocaleString('en')} lines, in the largest log`;
  return { metric, contender: OURS, unit: 'ms', value: ms };
}
