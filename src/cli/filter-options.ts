/** The flags that `log` and `assemble` share: which lines, and how they are written. */
import type { Command } from 'commander';
import { LEVELS } from '../message/level.ts';

export interface FilterOptions {
  readonly source?: string[];
  readonly destination?: string[];
  readonly job?: string[];
  readonly run?: string[];
  readonly machine?: string[];
  readonly level?: string;
  readonly since?: string;
  readonly until?: string;
  readonly grep?: string[];
  readonly ignoreCase?: boolean;
}

export interface OutputOptions {
  readonly output?: string;
  readonly utc?: boolean;
}

const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

export function addFilterOptions(command: Command): Command {
  return command
    .option('-s, --source <source>', 'lines from this source; repeat a filter for "or"', collect)
    .option('-d, --destination <destination>', 'lines to this destination', collect)
    .option('-j, --job <job>', 'lines of this job', collect)
    .option('--run <run>', 'lines of this run; with --job, "last" is its latest run', collect)
    .option('-m, --machine <name|id>', 'lines that this machine signed', collect)
    .option('-l, --level <level>', `lines of this level or worse (${LEVELS.join(' ')})`)
    .option('--since <time>', 'lines from then on: 2026-11-22, "2026-11-22 03:00", yesterday, 2h (ago)')
    .option('--until <time>', 'lines up to then')
    .option('-g, --grep <regexp>', 'lines whose text matches', collect)
    .option('-i, --ignore-case', 'with --grep: upper and lower case are the same')
    .option('--utc', 'times in UTC instead of local time');
}

export function addOutputOption(command: Command): Command {
  return command.option('--output <form>', 'text, json (one object a line) or csv');
}
