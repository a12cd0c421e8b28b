/** `log`: the combined log of all machines on stdout. */
import type { Command } from 'commander';
import { escapeText } from '../../assemble/escape-controls.ts';
import type { FutureLines } from '../../assemble/future.ts';
import type { LogFilter, LogLines } from '../../assemble/lines.ts';
import { SsblogError } from '../../errors.ts';
import { type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';
import { addFilterOptions, addOutputOption, type FilterOptions, type OutputOptions } from '../filter-options.ts';
import { collectEarly } from '../v8-flags.ts';

interface LogOptions extends FilterOptions, OutputOptions {
  readonly follow?: boolean;
  readonly lines?: string;
}

/** As journalctl does. */
const LINES_BEFORE_FOLLOWING = 10;

export function register(program: Command, context: Context): void {
  const command = program
    .command('log')
    .description('print the combined log of all machines, sorted by time')
    .option('-f, --follow', `print the last ${LINES_BEFORE_FOLLOWING} lines (or -n), then lines as they arrive`)
    .option('-n, --lines <count>', 'only the last so many lines');
  addOutputOption(addFilterOptions(command)).action((options: LogOptions, self: Command) =>
    run(invocation(context, self), options),
  );
}

async function run(call: Invocation, options: LogOptions): Promise<void> {
  const { context, globals } = call;
  const lines = options.lines === undefined ? undefined : parseCount(options.lines);
  const access = await loadMachine(call);
  const [
    { openReader },
    { OpenLines, readLines },
    future,
    { followLines },
    { parseFilter },
    { resolveLastRuns },
    output,
  ] = await Promise.all([
    import('../reader.ts'),
    import('../../assemble/lines.ts'),
    import('../../assemble/future.ts'),
    import('../../assemble/follow.ts'),
    import('../log-filter.ts'),
    import('../last-runs.ts'),
    import('../render/log-output.ts'),
  ]);
  const outputName = output.parseOutput(options.output, globals.json ?? false);
  const store = await openReader(access);
  collectEarly();
  try {
    const names = store.names(access.identity.id);
    const wanted = resolveLastRuns(options, store, access.identity.id, context.now());
    const filter = parseFilter(wanted, names, context.now());
    const upToRow = store.lastRow();
    const writer = output.createLogWriter(context, globals, { output: outputName, utc: options.utc ?? false });
    const nameOf = (feed: string) => names.get(feed);
    const limit = lines ?? (options.follow ? LINES_BEFORE_FOLLOWING : undefined);
    const openLines = new OpenLines();
    // The last lines are what is new: those of a machine whose clock is ahead would be the last ones for ever.
    const end = limit === undefined ? undefined : lastTime(filter, future.endOfPresent(context.now()), context.now());
    const shown = end === undefined ? filter : { ...filter, until: end };
    const past = readLines(store, shown, {
      nameOf,
      upToRow,
      ...(options.follow && { openLines }),
      ...(limit !== undefined && { limit }),
      isTransient: true,
      onUnreadable: (messages) => note(call, `${messages} messages could not be read: the store is damaged`),
    });
    await writer.writeAll(until(context.signal, past));
    if (end !== undefined && !context.signal.aborted) {
      const hidden = await future.countFutureLines(store, filter, { end, nameOf, upToRow });
      if (hidden.lines > 0)
        note(
          call,
          futureText(hidden, (feed) => names.get(feed) ?? feed),
        );
    }
    if (!options.follow) return;
    await writer.writeAll(followLines(store, filter, { afterRow: upToRow, nameOf, openLines, signal: context.signal }));
  } finally {
    store.close();
  }
}

/** @returns undefined where the user says what time is wanted, and means the future */
function lastTime({ since, until }: LogFilter, end: number, now: number): number | undefined {
  return until !== undefined || (since ?? now) > now ? undefined : end;
}

function futureText({ lines, isMore, byFeed }: FutureLines, nameOf: (feed: string) => string): string {
  const machines = [...byFeed].map(([feed, count]) => `${escapeText(nameOf(feed))} (${count})`);
  const count = isMore ? `more than ${lines} lines are` : lines === 1 ? '1 line is' : `${lines} lines are`;
  return `${count} dated in the future and left out, of ${machines.join(', ')}; see: ssblog log --since now`;
}

/** Ends in order when the signal comes. */
async function* until(signal: AbortSignal, batches: AsyncIterable<LogLines>): AsyncGenerator<LogLines> {
  for await (const batch of batches) {
    if (signal.aborted) return;
    yield batch;
  }
}

function parseCount(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new SsblogError('usage', `-n: "${text}" is not a number of lines`);
}
