/** Names of the files in a directory that holds a file a day, and which of them are others'. */
import { mkdir, readdir, realpath } from 'node:fs/promises';
import { SsblogError, systemCode } from '../errors.ts';
import type { OutputName } from './format.ts';
import type { Memory } from './memory.ts';

const EXTENSIONS: Readonly<Record<OutputName, string>> = { text: '.log', json: '.jsonl', csv: '.csv' };
const DAY_NAME = /^\d{4}-\d\d-\d\d$/;

/** @param day as `Day.name` */
export function fileOfDay(day: string, output: OutputName): string {
  return day + EXTENSIONS[output];
}

/** @returns the day's name; undefined: a file of another kind */
export function dayOfFile(file: string, output: OutputName): string | undefined {
  const extension = EXTENSIONS[output];
  const day = file.endsWith(extension) ? file.slice(0, -extension.length) : '';
  return DAY_NAME.test(day) ? day : undefined;
}

/** The files of days that are there and were written by somebody else. */
export async function foreignFiles(
  directory: string,
  output: OutputName,
  { files, foreign }: Memory,
): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => dayOfFile(name, output) !== undefined);
  return names.filter((name) => !Object.hasOwn(files, name) && (foreign?.includes(name) ?? true));
}

/**
 * Makes the directory when it is missing. A link stays a link.
 * @returns its real path
 * @throws SsblogError `usage` when it is something else, `io` when it cannot be used
 */
export async function openDirectory(dir: string): Promise<string> {
  try {
    await mkdir(dir, { mode: 0o700 }).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error;
    });
    const directory = await realpath(dir);
    await readdir(directory);
    return directory;
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR')
      throw new SsblogError('usage', `${dir} is not a directory`, {
        hint: 'for a single file: ssblog assemble -o FILE',
      });
    throw new SsblogError('io', `${dir} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
