/** A small file of a machine that only its owner may read, written in one step. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type * as z from 'zod';
import { SsblogError, systemCode } from '../errors.ts';

interface Absent<T> {
  /** What counts when there is no file. */
  readonly empty: T;
  /** What counts when it does not hold what it must: a value, or the way out that the user is told. */
  readonly damaged: (() => T) | string;
}

/** @throws SsblogError `io` when it cannot be read, `config` when it is damaged and no value counts then */
export function readKept<T>(file: string, schema: z.ZodType<T>, { empty, damaged }: Absent<T>): T {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return empty;
    throw ioError('read', file, error);
  }
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  if (typeof damaged === 'function') return damaged();
  throw new SsblogError('config', `${file} is damaged`, { hint: damaged });
}

/** @throws SsblogError `io` when the disk refuses */
export function writeKept(file: string, value: unknown): void {
  const beside = `${file}.new`;
  try {
    writeFileSync(beside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(beside, file);
  } catch (error) {
    throw ioError('write', file, error);
  }
}

function ioError(verb: string, file: string, error: unknown): SsblogError {
  return new SsblogError('io', `cannot ${verb} ${file}: ${(error as Error).message}`, {
    hint: 'look at the rights of the directory, and at the disk',
    cause: error,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema refuses it
  }
}
