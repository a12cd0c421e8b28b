/** `--run last`: the latest run of each job that the other filters leave. */
import { escapeText } from '../assemble/escape-controls.ts';
import { SsblogError } from '../errors.ts';
import { jobStates } from '../jobs/job-states.ts';
import type { Store } from '../store/store.ts';
import type { FilterOptions } from './filter-options.ts';
import { resolveMachine } from './machine-names.ts';

const LAST = 'last';

/**
 * @returns the filters with runs' ids in the place of `last`
 * @throws SsblogError `usage` without a job, `unknown-job` when it has no runs
 */
export function resolveLastRuns<T extends FilterOptions>(options: T, store: Store, self: string, now: number): T {
  const { run, job, source, destination, machine } = options;
  if (!run?.includes(LAST)) return options;
  if (job === undefined)
    throw new SsblogError('usage', '--run last needs --job', { hint: 'ssblog log --job J --run last' });
  const names = store.names(self);
  const feeds = machine?.map((name) => resolveMachine(name, names));
  const jobs = jobStates(store, { self, now, feeds, filter: { job, source, destination } });
  if (jobs.length === 0)
    throw new SsblogError('unknown-job', `no job "${job.map(escapeText).join('", "')}" is known here`, {
      hint: 'see: ssblog jobs',
    });
  // Another machine may use a run's id: whose job it is has to be its signer.
  const signers = [...new Set(jobs.map(({ feed }) => feed))];
  return { ...options, machine: signers, run: [...run.filter((id) => id !== LAST), ...jobs.map((state) => state.run)] };
}
