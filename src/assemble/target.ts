/**
 * One file that holds the lines of a source. What sorts after all that it has is appended to it; anything else is
 * written beside and renamed, with as much copied from the old file as stays the same.
 */
import type { BigIntStats } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SsblogError, systemCode } from '../errors.ts';
import { copyBeginning } from './copy-beginning.ts';
import { lineFormat } from './format.ts';
import { readLines, type UnfinishedLine } from './lines.ts';
import { firstLineAfter, type LogSource, mayHold, within } from './log-source.ts';
import { WriteBehind } from './write-behind.ts';
import {
  BEGINNING,
  changeOf,
  grownSince,
  isAsWritten,
  type Known,
  MAX_UNFINISHED,
  type Mark,
  Tally,
  type Written,
  withUnfinished,
} from './written.ts';

/** Nobody else reads a machine's log. */
const FILE_MODE = 0o600;

/** Of the operating system's errors; Node's own have an underscore. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

export interface Target {
  readonly path: string;
  /** Where it is written before it is renamed: a name that no other process uses at this time. */
  readonly temporary: string;
}

export interface Outcome {
  /** What is known of the file now. */
  readonly written: Written;
  /** Whether it was written to. */
  readonly isChanged: boolean;
}

/**
 * Brings the file up to date, and to the disk.
 * @param known what an earlier call gave, with the row of the store up to which it had read
 * @throws SsblogError `io` when it cannot be written: it is then as it was before
 */
export async function writeTarget(source: LogSource, target: Target, known?: Known): Promise<Outcome> {
  try {
    if (known === undefined || !(await isUnchanged(target.path, known.written)))
      return changed(await writeFrom(source, target, BEGINNING));
    const begun: UnfinishedLine[] = [];
    const first = await firstLineAfter(source, known.row, (line) => {
      if (begun.length <= MAX_UNFINISHED) begun.push(line);
    });
    const change = changeOf(known, first, grownSince(known, source.store, source.read.upToRow));
    if (change === 'end')
      return changed((await append(source, target, known)) ?? (await writeFrom(source, target, BEGINNING)));
    const written = withUnfinished(known.written, begun);
    return change === 'none'
      ? { written, isChanged: false }
      : changed(await writeFrom(source, target, change, written));
  } catch (error) {
    if (!SYSTEM_CODE.test(systemCode(error) ?? '')) throw error;
    throw new SsblogError('io', `${target.path} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

function changed(written: Written): Outcome {
  return { written, isChanged: true };
}

/** Whether the file is as it was left. */
export async function isUnchanged(path: string, written: Written): Promise<boolean> {
  const stats = await statsOf(path);
  return stats?.isFile() === true && isAsWritten(written, stats);
}

/** @returns undefined when there is nothing of this name */
async function statsOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Copies what stands before the mark, and writes the rest. */
async function writeFrom(source: LogSource, target: Target, mark: Mark, known?: Written): Promise<Written> {
  const { path, temporary } = target;
  await rm(temporary, { force: true }); // left by a process that was killed
  try {
    const written = await writeBeside(source, target, mark, known);
    await rename(temporary, path);
    await flushDirectory(dirname(path));
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeBeside(source: LogSource, target: Target, mark: Mark, known?: Written): Promise<Written> {
  const handle = await open(target.temporary, 'wx', FILE_MODE);
  try {
    const isCopied =
      known !== undefined && mark.bytes > 0 && (await copyBeginning(target.path, handle, mark.bytes, known));
    if (!isCopied) return await writeLines(handle, source, new Tally());
    return await writeLines(handle, within(source, { first: mark.at }), new Tally(known, mark));
  } finally {
    await handle.close();
  }
}

/** @returns undefined when the file is not the one that is known, or may only be replaced */
async function append(source: LogSource, { path }: Target, { written, row }: Known): Promise<Written | undefined> {
  const handle = await open(path, 'r+').catch((error: unknown) => {
    if (systemCode(error) === 'EACCES') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    if (!isAsWritten(written, await handle.stat({ bigint: true }))) return undefined;
    const read = { ...source.read, ...(row > 0 && { afterRow: row }) };
    try {
      return await writeLines(handle, { ...source, read }, new Tally(written, 'end'));
    } catch (error) {
      await handle.truncate(written.bytes).catch(() => undefined); // a later call finds it changed and writes it anew
      throw error;
    }
  } finally {
    await handle.close();
  }
}

async function writeLines(handle: FileHandle, source: LogSource, tally: Tally): Promise<Written> {
  const { header, format } = lineFormat(source.format);
  const writer = new WriteBehind(handle, tally.bytes);
  if (tally.bytes === 0) {
    await writer.write(header);
    tally.bytes = header.length;
  }
  const onUnfinished = (line: UnfinishedLine) => {
    if (mayHold(source, line.at)) tally.addUnfinished(line);
  };
  const read = { ...source.read, onUnfinished, isTransient: true };
  try {
    for await (const batch of readLines(source.store, source.filter, read)) {
      const bytes = format(batch);
      tally.add(batch, bytes.length);
      await writer.write(bytes);
      source.onProgress?.(tally.lines);
    }
  } finally {
    await writer.end();
  }
  await handle.sync();
  return tally.written(await handle.stat({ bigint: true }));
}

/** Makes the new name durable, where directories can be flushed. */
async function flushDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
