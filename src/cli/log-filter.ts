/** From the filter flags to a filter. */
import type { LogFilter } from '../assemble/filters.ts';
import { SsblogError } from '../errors.ts';
import type { FilterOptions } from './filter-options.ts';
import { parseLevelFlag } from './level-flag.ts';
import { resolveMachine } from './machine-names.ts';
import { parseTime } from './time.ts';

/**
 * @param names feed id → name
 * @throws SsblogError `usage` or `unknown-machine`
 */
export function parseFilter(options: FilterOptions, names: ReadonlyMap<string, string>, now: number): LogFilter {
  return {
    ...(options.source && { sources: options.source }),
    ...(options.destination && { destinations: options.destination }),
    ...(options.job && { jobs: options.job }),
    ...(options.run && { runs: options.run }),
    ...(options.machine && { feeds: options.machine.map((machine) => resolveMachine(machine, names)) }),
    ...(options.level !== undefined && { minLevel: parseLevelFlag(options.level) }),
    ...(options.since !== undefined && { since: parseTime('--since', options.since, now) }),
    ...(options.until !== undefined && { until: parseTime('--until', options.until, now) }),
    ...(options.grep && { grep: options.grep.map((pattern) => parseRegExp(pattern, options.ignoreCase ?? false)) }),
  };
}

function parseRegExp(pattern: string, ignoreCase: boolean): RegExp {
  try {
    return new RegExp(pattern, ignoreCase ? 'iu' : 'u');
  } catch (error) {
    throw new SsblogError('usage', `--grep: ${(error as Error).message}`, { cause: error });
  }
}
