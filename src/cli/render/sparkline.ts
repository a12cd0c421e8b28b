/** The last runs of a job in a few characters: a bar as high as the run took long, or how it went wrong. */
import type { RunResult } from '../../jobs/state.ts';

const BARS = '▁▂▃▄▅▆▇█';
const FAILED = '✗';
const OPEN = '·';

export interface SparkRun {
  readonly result: RunResult;
  readonly durationMs: number | null;
}

export function sparkline(runs: readonly SparkRun[]): string {
  const longest = Math.max(...runs.map(({ durationMs }) => durationMs ?? 0));
  return runs.map((run) => mark(run, longest)).join('');
}

function mark({ result, durationMs }: SparkRun, longest: number): string {
  if (result === 'failed') return FAILED;
  if (result === 'running') return OPEN;
  const level = longest === 0 ? 0 : Math.round(((durationMs ?? 0) / longest) * (BARS.length - 1));
  return BARS[level] ?? OPEN;
}
