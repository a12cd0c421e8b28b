/** The options of `jobs` and `check` that say which jobs are meant. */
import type { Command } from 'commander';

/** As commander gives them. */
export interface JobOptions {
  readonly source?: string[];
  readonly destination?: string[];
  readonly machine?: string[];
}

const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

export function addJobOptions(command: Command): Command {
  return command
    .option('-s, --source <source>', 'jobs with this source; repeat it for "or"', collect)
    .option('-d, --destination <destination>', "jobs with this destination ('' for none)", collect)
    .option('-m, --machine <name|id>', 'jobs of this machine', collect);
}
