/** Threads that sign and verify, real ones and such as break, and how much they are given. */
import type { TestContext } from 'node:test';
import { SignatureThread, type SignatureThreadOptions } from '../../../../src/peer/engines/sqlite/signature-thread.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

export class CountedThread extends SignatureThread {
  /** Signatures to verify. */
  jobs = 0;
  /** Chains to sign. */
  signed = 0;

  override check(...[jobs, answer]: Parameters<SignatureThread['check']>): void {
    this.jobs += jobs.length;
    super.check(jobs, answer);
  }

  override sign(...[job, done]: Parameters<SignatureThread['sign']>): ReturnType<SignatureThread['sign']> {
    this.signed += 1;
    return super.sign(job, done);
  }
}

/** On a computer with two cores, whatever this one has. Ends with the test. */
export async function startedThread(t: TestContext, options: SignatureThreadOptions = {}): Promise<CountedThread> {
  const thread = new CountedThread({ cores: 2, ...options });
  t.after(() => thread.close());
  thread.start();
  await waitFor('the thread', () => thread.isReady, { everyMs: 1 });
  return thread;
}

/** A thread's script that says that it is ready, and then does this with every `job`. */
export function scriptThat(onMessage: string): URL {
  return new URL(
    `data:text/javascript,import { parentPort } from 'node:worker_threads';
     parentPort.on('message', (job) => { ${onMessage} }); parentPort.postMessage('ready');`,
  );
}

export const BROKEN = scriptThat("throw new Error('broken')");
export const SILENT = scriptThat('');
