/** The logs that everything is measured with: a folder's `*.log`, or generated ones. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LOGHUB_FOLDER } from '../../test/helpers/loghub.ts';
import { generateLogs } from './generated-logs.ts';

const LF = 0x0a;

/** A file of which every line ends with a line feed. */
export interface InputFile {
  readonly file: string;
  readonly lines: number;
  readonly bytes: number;
}

interface Log extends InputFile {
  readonly name: string;
}

export interface Logs {
  /** For the report. */
  readonly origin: string;
  readonly all: readonly Log[];
}

/**
 * Copies the logs into `dir`, as they are but for a line feed behind the last line.
 * @param folder undefined: the Loghub samples where they are, else generated logs
 */
export function prepareLogs(dir: string, folder: string | undefined): Logs {
  const from = folder ?? (existsSync(LOGHUB_FOLDER) ? LOGHUB_FOLDER : undefined);
  if (from === undefined) {
    const logs = [...generateLogs()].map(([name, lines]) => [name, Buffer.from(`${lines.join('\n')}\n`)] as const);
    return { origin: 'generated logs', all: logs.map(([name, bytes]) => writeLog(dir, name, bytes)) };
  }
  const names = readdirSync(from).filter((name) => name.endsWith('.log'));
  const all = names.sort().map((name) => writeLog(dir, basename(name, '.log'), readFileSync(join(from, name))));
  if (all.length === 0) throw new Error(`no *.log in ${from}`);
  return { origin: `${all.map(({ name }) => name).join(', ')}`, all };
}

/** One after the other in one file. */
export function joinLogs(file: string, logs: readonly InputFile[]): InputFile {
  writeFileSync(file, Buffer.concat(logs.map((log) => readFileSync(log.file))));
  return { file, lines: logs.reduce((sum, log) => sum + log.lines, 0), bytes: statSync(file).size };
}

function writeLog(dir: string, name: string, content: Buffer): Log {
  const bytes = content.at(-1) === LF ? content : Buffer.concat([content, Buffer.of(LF)]);
  const file = join(dir, `${name}.log`);
  writeFileSync(file, bytes);
  return { name, file, lines: countLines(bytes), bytes: bytes.length };
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) count += 1;
  return count;
}
