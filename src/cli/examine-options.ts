/** How the doctor speaks to whoever runs a verb: notices on stderr, progress on a terminal. */
import { tmpdir } from 'node:os';
import type { ExamineOptions } from '../doctor/finding.ts';
import { type Invocation, note } from './context.ts';
import { showProgress } from './render/progress.ts';

/** @returns what the doctor is given, and what ends the progress that is shown */
export function examineOptions(call: Invocation, thorough: boolean): { options: ExamineOptions; end: () => void } {
  const { context } = call;
  let progress: { work: string; shown: ReturnType<typeof showProgress> } | undefined;
  const end = () => progress?.shown.end();
  return {
    end,
    options: {
      thorough,
      now: context.now,
      environment: context.environment,
      temporaryDir: tmpdir(),
      signal: context.signal,
      notice: (text) => {
        end();
        note(call, text);
      },
      onProgress: (work, done, total) => {
        if (progress?.work !== work) {
          end();
          progress = { work, shown: showProgress(call, total, work === 'searching' ? 'pages' : 'messages') };
        }
        progress.shown.update(done);
      },
    },
  };
}
