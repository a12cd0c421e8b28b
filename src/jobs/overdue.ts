/**
 * A machine tells of its own jobs that did not run, so that it is not taken for one that is away: who is connected with
 * it sees that, others have its feed alone, and a machine on which nothing runs writes nothing. Once for each time at
 * which a job was due, and only where nothing on the feed shows the same; nothing when all is well.
 */
import type { LogOverdueContent } from '../message/content.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { type JobState, jobStates } from './job-states.ts';

/** What is so is so a minute later as well: a job that a machine starts late, when it woke, has that time to begin. */
const LOOK_EVERY_MS = 60_000;

export interface OverdueOptions {
  readonly storeFile: string;
  /** This machine's feed. */
  readonly self: string;
  /** Publishes on it. */
  readonly publish: (contents: readonly LogOverdueContent[]) => Promise<void>;
  readonly notice: (text: string) => void;
  readonly now?: () => number;
}

export interface OverdueWatch {
  /** To be called every `LOOK_EVERY_MS`, which is done by itself. */
  look(): Promise<void>;
  close(): Promise<void>;
}

export function watchOverdue({ storeFile, self, publish, notice, now = Date.now }: OverdueOptions): OverdueWatch {
  // Kept open: SQLite closes no file of a store that its process has open elsewhere.
  let store: Store | undefined;
  let lookedAt = now();
  let isFailing = false;
  /** Where the clock was set back, the feed does not show what was said. */
  const said = new Set<string>();

  const tell = async () => {
    const at = now();
    const sinceLast = at - lookedAt;
    lookedAt = at;
    // It slept, or its clock was set.
    if (sinceLast < 0 || sinceLast > 2 * LOOK_EVERY_MS) return;
    if (store?.isReplaced()) {
      store.close();
      store = undefined;
    }
    store ??= openStore(storeFile, { readOnly: true });
    const contents = readOverdue(store, self, at).filter((content) => !said.has(keyOf(content)));
    if (contents.length === 0) return;
    await publish(contents);
    isFailing = false;
    for (const content of contents) said.add(keyOf(content));
  };
  const tellOrSay = async () => {
    try {
      await tell();
    } catch (error) {
      // It is tried again; the daemon has more to do than to end because of this.
      if (!isFailing) notice(`other machines could not be told which jobs did not run: ${(error as Error).message}`);
      isFailing = true;
    }
  };

  let work = Promise.resolve();
  const look = () => {
    work = work.then(tellOrSay);
    return work;
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return {
    look,
    async close() {
      clearInterval(timer);
      await work;
      store?.close();
    },
  };
}

function readOverdue(store: Store, self: string, now: number): LogOverdueContent[] {
  const last = store.lastMessages().get(self)?.made;
  // A message that claims to be of the future is no sign of life at any time.
  const spokenAt = last === undefined || last > now ? undefined : last;
  return overdueContents(jobStates(store, { self, now, feeds: [self] }), { spokenAt, now });
}

/**
 * What there is to say of own jobs.
 * @param spokenAt when the last own message was made, which is as good a sign of life for all that was due before
 */
function overdueContents(
  jobs: readonly JobState[],
  { spokenAt, now }: { spokenAt: number | undefined; now: number },
): LogOverdueContent[] {
  return jobs.flatMap(({ source, destination, job, run, state, nextDue, stuckFrom }) => {
    const due = state === 'missing' ? nextDue : state === 'stuck' ? stuckFrom : null;
    if (due === null || (spokenAt !== undefined && spokenAt >= due)) return [];
    const labels = { ...(source !== null && { source }), ...(destination !== null && { destination }), job, run };
    return [{ type: 'log-overdue', ...labels, due, at: now }];
  });
}

function keyOf({ source, destination, job, due }: LogOverdueContent): string {
  return JSON.stringify([source, destination, job, due]);
}
