/**
 * Whether the process that writes a spool file still lives. A pid alone does not tell: it is given out again, at the
 * latest after the next boot. With the time at which the process began it does.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { systemCode } from '../errors.ts';

/** Fields of /proc/PID/stat after the command, which stands in brackets and may hold anything (proc_pid_stat(5)). */
const STATE_FIELD = 3;
const STARTTIME_FIELD = 22;

/** `PID-BIRTH`, or `PID` where the system does not say when a process began: for a file's name. */
export function thisProcess(): string {
  const birth = birthOf(process.pid);
  return birth === undefined ? `${process.pid}` : `${process.pid}-${birth}`;
}

/** @param mark what `thisProcess` gave to who wrote it */
export function isAlive(mark: string): boolean {
  const [pid, birth] = mark.split('-');
  if (!exists(Number(pid))) return false;
  const now = birth === undefined ? undefined : birthOf(Number(pid));
  return now === undefined || now === birth; // where nobody knows: better late than torn from who still writes
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** Letters and digits that two processes of one pid do not share; undefined where the system does not say. */
function birthOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[STARTTIME_FIELD - STATE_FIELD];
    }
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
    return started.replace(/[^A-Za-z0-9]/g, '') || undefined;
  } catch {
    return undefined; // no /proc, no ps, or it has just ended: `exists` will tell at the next look
  }
}
