/** What `check` says: a line for each job that is wrong, and the end of its output. */
import { escapeText } from '../../assemble/escape-controls.ts';
import type { Problem } from '../../jobs/problems.ts';
import type { Context, GlobalOptions } from '../context.ts';
import { chalkFor, fromOf } from './jobs.ts';

export interface ShownProblem extends Problem {
  /** The last lines of its output. */
  readonly output: readonly string[];
}

export function renderProblems(
  problems: readonly ShownProblem[],
  absent: readonly string[],
  context: Context,
  globals: GlobalOptions,
): string {
  const chalk = chalkFor(context, globals);
  const lines = problems.flatMap(({ job, severity, text, output }) => {
    const colour = severity === 'critical' ? chalk.red : chalk.yellow;
    const to = job.destination === null ? '' : ` -> ${job.destination}`;
    const title = `${escapeText(job.job)} [${escapeText(fromOf(job))}${escapeText(to)}]`;
    return [`${colour(title)} ${escapeText(text)}`, ...output.map((line) => chalk.dim(`    ${escapeText(line)}`))];
  });
  const unknown = absent.map((job) => `${chalk.red(escapeText(job))} is not known here`);
  return [...lines, ...unknown].map((line) => `${line}\n`).join('');
}
