/** Lines to stdout: as bytes for files and pipes, in colours and with control characters shown on a terminal. */
import { once } from 'node:events';
import { Chalk, type ChalkInstance } from 'chalk';
import { type LineFormat, lineFormat, type OutputName } from '../../assemble/format.ts';
import { endOfPresent } from '../../assemble/future.ts';
import { LogLines } from '../../assemble/lines.ts';
import { SsblogError } from '../../errors.ts';
import { type Level, levelRank } from '../../message/level.ts';
import type { Context, GlobalOptions } from '../context.ts';

const OUTPUTS: readonly OutputName[] = ['text', 'json', 'csv'];

/** @throws SsblogError `usage` */
export function parseOutput(output: string | undefined, json: boolean): OutputName {
  if (output === undefined) return json ? 'json' : 'text';
  const name = OUTPUTS.find((candidate) => candidate === output);
  if (name !== undefined) return name;
  throw new SsblogError('usage', `--output: "${output}" is no form of output`, {
    hint: `forms: ${OUTPUTS.join(', ')}`,
  });
}

export interface LogWriter {
  /** Resolves when all lines are handed to the operating system. */
  writeAll(batches: AsyncIterable<LogLines>): Promise<void>;
}

export function createLogWriter(
  { stdout, environment, now }: Context,
  { color }: GlobalOptions,
  { output, utc }: { output: OutputName; utc: boolean },
): LogWriter {
  const isTerminal = stdout.isTTY === true;
  // A text in a pipe is the same on every machine, at any time.
  const marksFuture = isTerminal || output === 'json';
  const isFuture = (at: number) => at > endOfPresent(now());
  const format = lineFormat({ output, utc, escape: isTerminal, ...(marksFuture && { isFuture }) });
  const inColour = isTerminal && color && output === 'text' && !environment.NO_COLOR;
  const bytesOf = inColour ? painter(format) : (lines: LogLines) => format.format(lines);
  let isFirst = true;
  const write = async (bytes: Buffer) => {
    if (bytes.length > 0 && !stdout.write(bytes)) await once(stdout, 'drain');
  };
  return {
    async writeAll(batches) {
      if (isFirst) await write(format.header);
      isFirst = false;
      for await (const batch of batches) await write(bytesOf(batch));
    },
  };
}

function painter(format: LineFormat): (lines: LogLines) => Buffer {
  const chalk = new Chalk({ level: 1 });
  return (lines) =>
    Buffer.concat(
      Array.from(lines, (line) => {
        const bytes = format.format(LogLines.of([line]));
        const paint = line.level === undefined ? undefined : colourOf(chalk, line.level);
        if (paint === undefined) return bytes;
        // Bytes that are not UTF-8 were escaped: this is a terminal.
        return Buffer.from(`${paint(bytes.toString('utf8').replace(/\n$/, ''))}\n`);
      }),
    );
}

function colourOf(chalk: ChalkInstance, level: Level): ((text: string) => string) | undefined {
  const rank = levelRank(level);
  if (rank <= levelRank('err')) return chalk.red;
  if (rank === levelRank('warning')) return chalk.yellow;
  return rank === levelRank('debug') ? chalk.dim : undefined;
}
