/**
 * How far a feed has come, kept outside its machine's directory: a backup of the directory that is put back does not
 * bring an old one with it. It may lag behind by what was written last; it is never ahead of what is durable.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { systemCode } from '../../errors.ts';

const markSchema = z.object({
  feed: z.string(),
  sequence: z.int().positive(),
  /** Id of the message with that sequence. */
  key: z.string(),
  /** The machine's directory. */
  dir: z.string(),
});
export type HighWaterMark = z.infer<typeof markSchema>;

/** @returns undefined when there is none that can be read: it is a second guard, nothing rests on it alone */
export function readMark(directory: string, feed: string): HighWaterMark | undefined {
  try {
    const parsed = markSchema.safeParse(JSON.parse(readFileSync(markFile(directory, feed), 'utf8')));
    return parsed.success && parsed.data.feed === feed ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) !== undefined) return undefined;
    throw error;
  }
}

/** The mark lags behind by this much. */
const WRITE_EVERY_MS = 1_000;

export interface MarkKeeper {
  /** The feed has grown. */
  touch(): void;
  close(): void;
}

/** @param read what is durable now; undefined when there is nothing */
export function keepMark(
  directory: string,
  { read, notice }: { read: () => HighWaterMark | undefined; notice: (text: string) => void },
): MarkKeeper {
  let isStale = true;
  let hasFailed = false;
  const write = () => {
    if (!isStale) return;
    isStale = false;
    try {
      const mark = read();
      if (mark !== undefined) writeMark(directory, mark);
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) notice(`cannot keep a mark of this machine's feed in ${directory}: ${(error as Error).message}`);
      hasFailed = true;
    }
  };
  const timer = setInterval(write, WRITE_EVERY_MS);
  timer.unref();
  return {
    touch() {
      isStale = true;
    },
    close() {
      clearInterval(timer);
      write();
    },
  };
}

function writeMark(directory: string, mark: HighWaterMark): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = markFile(directory, mark.feed);
  const beside = `${file}.${process.pid}.new`; // a copy of the machine may write its own at the same time
  writeFileSync(beside, `${JSON.stringify(mark)}\n`, { mode: 0o600 });
  renameSync(beside, file);
}

function markFile(directory: string, feed: string): string {
  return join(directory, `${feed.slice(1).replaceAll('/', '_').replaceAll('+', '-')}.json`);
}
