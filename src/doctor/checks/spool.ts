/** What waits in the spool, what of it cannot be read, and what was set aside for that reason. */
import { spoolState } from '../../writer/spool.ts';
import type { Finding, Machine } from '../finding.ts';

/** A daemon takes a file within seconds. */
const WAITS_MS = 60_000;

export async function checkSpool({ paths, daemon, options }: Machine): Promise<Finding[]> {
  const { files, lines, unreadable, aside, oldestMs } = await spoolState(paths.spool);
  const findings: Finding[] = [];
  const stuck = daemon.kind === 'running' && oldestMs !== undefined && options.now() - oldestMs > WAITS_MS;
  if (files > 0) {
    findings.push({
      code: stuck ? 'spool-stuck' : 'spool-waiting',
      severity: stuck ? 'warning' : 'info',
      message: `${lines} lines in ${files} files of the spool wait to be published`,
      hint: stuck
        ? 'the daemon says why on its stderr or in the journal'
        : 'ssblog start takes them, and so does ssblog doctor --fix',
      repair: 'renew',
    });
  }
  if (unreadable > 0) {
    findings.push({
      code: 'spool-damaged',
      severity: 'warning',
      message: `${unreadable} lines of files in ${paths.spool} cannot be read`,
      hint: 'ssblog doctor --fix publishes the others, and sets the files aside',
      repair: 'renew',
    });
  }
  if (aside > 0) {
    findings.push({
      code: 'spool-aside',
      severity: 'info',
      message: `${aside} files of the spool are kept in ${paths.spool}/damaged; what could be read of them is in the log`,
      hint: 'look into them for what is missing, then remove them',
    });
  }
  return findings;
}
