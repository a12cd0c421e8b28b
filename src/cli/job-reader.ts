/** What `jobs` and `check` share: which jobs are meant, and their states with what the daemon knows. */
import { escapeText } from '../assemble/escape-controls.ts';
import { SsblogError } from '../errors.ts';
import { type JobState, type JobStatesOptions, jobStates } from '../jobs/job-states.ts';
import type { FactsOptions } from '../jobs/machine-facts.ts';
import { connectDaemon } from '../peer/client.ts';
import type { PeerStatus } from '../peer/control.ts';
import type { MachineAccess } from '../peer/open-control.ts';
import { lastSeen } from '../peer/seen.ts';
import type { Store } from '../store/store.ts';
import { type Invocation, note } from './context.ts';
import type { JobOptions } from './job-options.ts';
import { resolveMachine } from './machine-names.ts';

export interface JobReader {
  readonly store: Store;
  readonly facts: FactsOptions;
  states(filter: JobOptions & { readonly job?: string[] | undefined }): JobState[];
}

/** Asks the daemon who is connected. @param store is the caller's to close */
export async function jobReader(call: Invocation, access: MachineAccess, store: Store): Promise<JobReader> {
  const now = call.context.now();
  const self = access.identity.id;
  const facts = { self, now, seen: lastSeen(store, await connectedPeers(call, access), now) };
  const names = store.names(self);
  return {
    store,
    facts,
    states({ job, source, destination, machine }) {
      const feeds = machine?.map((name) => resolveMachine(name, names));
      const options: JobStatesOptions = { ...facts, feeds, filter: { job, source, destination } };
      return jobStates(store, {
        ...options,
        onLeftOut: (feed, jobs) => {
          note(call, `${jobs} jobs of ${escapeText(names.get(feed) ?? feed)}, which ran earlier, are left out`);
        },
      });
    },
  };
}

async function connectedPeers(call: Invocation, access: MachineAccess): Promise<PeerStatus['peers']> {
  try {
    const daemon = await connectDaemon(access.config, access.identity, access.paths);
    if (daemon === undefined) return [];
    try {
      return (await daemon.status()).peers;
    } finally {
      await daemon.close();
    }
  } catch (error) {
    if (!(error instanceof SsblogError)) throw error;
    // The store answers all the same; what is not known then is who is connected.
    note(call, `${error.message}; machines count as away since their last message`);
    return [];
  }
}

/**
 * The one job that is meant.
 * @throws SsblogError `unknown-job` when there is none, or more than one
 */
export function onlyJob(jobs: readonly JobState[], name: string): JobState {
  const [job] = jobs;
  if (job !== undefined && jobs.length === 1) return job;
  if (job === undefined) throw unknownJob(name);
  const shown = jobs.slice(0, MAX_CANDIDATES).map(flagsFor).join(' or ');
  const more = jobs.length > MAX_CANDIDATES ? ` or ${jobs.length - MAX_CANDIDATES} more` : '';
  throw new SsblogError('unknown-job', `${jobs.length} jobs are named "${escapeText(name)}"`, {
    hint: `say which: ${shown}${more}`,
  });
}

function unknownJob(name: string): SsblogError {
  return new SsblogError('unknown-job', `no job "${escapeText(name)}" is known here`, { hint: 'see: ssblog jobs' });
}

const MAX_CANDIDATES = 5;

function flagsFor({ machine, source, destination }: JobState): string {
  const flags = [
    ['--machine', machine],
    ['--source', source ?? ''],
    ['--destination', destination ?? ''],
  ] as const;
  return flags.map(([flag, value]) => `${flag} ${quoted(value)}`).join(' ');
}

function quoted(text: string): string {
  return /^[\w.@+=/-]+$/.test(text) ? text : `'${escapeText(text)}'`;
}
