/** Whether anybody else can read the machine's directory, its secret, or what it keeps. */
import { join } from 'node:path';
import type { Finding, Machine } from '../finding.ts';
import { openFiles } from '../modes.ts';

const DIRECTORY_MODE = 0o700;

export function checkModes({ paths }: Machine): Finding[] {
  return openFiles(paths).map(({ name, mode, wanted }) => ({
    code: 'modes',
    severity: name === '.' || name === 'secret' ? 'error' : 'warning',
    message: `${join(paths.dir, name)} has mode ${octal(mode)}, not ${octal(wanted)}`,
    hint: wanted === DIRECTORY_MODE || mode & 0o077 ? 'ssblog doctor --fix closes it to others' : 'ssblog doctor --fix',
    repair: 'modes',
  }));
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
