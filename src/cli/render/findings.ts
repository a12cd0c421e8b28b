/** What the doctor found, for people. */
import { escapeText } from '../../assemble/escape-controls.ts';
import type { Finding } from '../../doctor/finding.ts';

/** A finding, and with `--fix` whether it is gone. */
export type Answer = Omit<Finding, 'repair'> & { fixed?: boolean };

/** One line each: how bad it is, what it is, and the next step. */
export function renderFindings(answers: readonly Answer[]): string {
  if (answers.length === 0) return 'all is well\n';
  return answers
    .map(({ severity, message, hint, fixed }) => {
      const title = fixed ? 'fixed' : severity;
      return `${title.padEnd(8)} ${escapeText(fixed ? message : `${message} (${hint})`)}\n`;
    })
    .join('');
}
