/** What the kernel tells of a process in /proc (Linux): its memory and the time that processors worked for it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** `USER_HZ`, in which /proc counts: 100 on every Linux that Node runs on (proc(5)). */
const TICKS_PER_SECOND = 100;

export interface Memory {
  /** What it has now. */
  readonly residentBytes: number;
  /** The most that it ever had. */
  readonly peakBytes: number;
}

/** @returns undefined when the process has ended */
export function readMemory(pid: number): Memory | undefined {
  const status = readProc(pid, 'status');
  return status === undefined ? undefined : parseMemory(status);
}

/** @returns seconds of processor time, its own and the kernel's for it; undefined when the process has ended */
export function readCpuSeconds(pid: number): number | undefined {
  const stat = readProc(pid, 'stat');
  return stat === undefined ? undefined : parseCpuSeconds(stat);
}

/** @returns how many TCP connections it has open; 0 when it has ended */
export function countConnections(pid: number): number {
  const established = new Set(['net/tcp', 'net/tcp6'].flatMap((name) => parseEstablished(readProc(pid, name) ?? '')));
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((name) => linkAt(`/proc/${pid}/fd/${name}`));
    return links.filter((link) => established.has(/^socket:\[(\d+)\]$/.exec(link ?? '')?.[1] ?? '')).length;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

/** @param table /proc/net/tcp: all sockets of the host. @returns inodes of those that are connected (proc(5)) */
export function parseEstablished(table: string): string[] {
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  return rows.filter(([, , , state]) => state === '01').map((row) => row[9] ?? '');
}

/** @param status /proc/PID/status. @returns undefined for a process that has ended and lets nobody know: it has no memory */
export function parseMemory(status: string): Memory | undefined {
  const bytesOf = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  const [residentBytes, peakBytes] = [bytesOf('VmRSS'), bytesOf('VmHWM')];
  return Number.isNaN(residentBytes + peakBytes) ? undefined : { residentBytes, peakBytes };
}

/** @param stat /proc/PID/stat; the second field is the program's name in parentheses, and may hold any character */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime are the 14th and 15th field; the two first are cut off here.
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  if (Number.isNaN(user + system)) throw new Error(`not a line of /proc/PID/stat: ${stat}`);
  return (user + system) / TICKS_PER_SECOND;
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** @returns undefined for a file that was closed meanwhile */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code));
}
