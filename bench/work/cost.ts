/** What daemons cost while lines pass through them. */
import { readCpuSeconds, readMemory } from '../../test/helpers/proc.ts';
import type { Figure } from '../measurement.ts';
import { cpuOf, peakOf } from '../metrics.ts';

export interface Cost {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** @throws when the process has ended */
export function costOfProcess(pid: number | undefined): Cost {
  const cpuSeconds = readCpuSeconds(pid as number);
  const memory = readMemory(pid as number);
  if (cpuSeconds === undefined || memory === undefined) throw new Error('a daemon has ended');
  return { cpuSeconds, peakBytes: memory.peakBytes };
}

/** @param cpu seconds, and @param peak bytes, by what part it was */
export function costFigures(
  contender: string,
  lines: number,
  cpu: Readonly<Record<string, number>>,
  peak: Readonly<Record<string, number>>,
): Figure[] {
  const seconds = (value: number) => (value / lines) * 1_000_000;
  const all = Object.values(cpu).reduce((sum, value) => sum + value, 0);
  return [
    { metric: cpuOf('all processes'), contender, unit: 's', value: seconds(all) },
    ...Object.entries(cpu).map(
      ([part, value]): Figure => ({ metric: cpuOf(part), contender, unit: 's', value: seconds(value) }),
    ),
    ...Object.entries(peak).map(
      ([part, value]): Figure => ({ metric: peakOf(part), contender, unit: 'MB', value: value / 1e6 }),
    ),
  ];
}
