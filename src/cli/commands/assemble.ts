/** `assemble`: the combined log into a file, or into one file a day. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { FormatOptions } from '../../assemble/format.ts';
import { SsblogError } from '../../errors.ts';
import type { MachineAccess } from '../../peer/open-control.ts';
import type { Store } from '../../store/store.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';
import { addFilterOptions, addOutputOption, type FilterOptions, type OutputOptions } from '../filter-options.ts';
import { collectEarly } from '../v8-flags.ts';

interface AssembleOptions extends FilterOptions, OutputOptions {
  /** `-o`: a file. */
  readonly file?: string;
  /** A directory. */
  readonly byDay?: string;
  readonly follow?: boolean;
}

export function register(program: Command, context: Context): void {
  const command = program
    .command('assemble')
    .description('write the combined log of all machines into a file, or into one file a day')
    .option('-o, --file <file>', 'the file; new lines are appended, or it is written beside and renamed')
    .option(
      '--by-day <dir>',
      'a directory, for files like 2026-11-22.log (.jsonl, .csv), of which only those that changed are written',
    )
    .option('-f, --follow', 'go on as lines arrive, until a signal comes')
    .addHelpText(
      'after',
      `
Either -o or --by-day must be given. Called again with the same filters, it writes what is new.
Days are those of local time, or of UTC with --utc.`,
    );
  addOutputOption(addFilterOptions(command)).action((options: AssembleOptions, self: Command) =>
    run(invocation(context, self), options),
  );
}

async function run(call: Invocation, options: AssembleOptions): Promise<void> {
  const place = placeOf(options);
  const access = await loadMachine(call);
  const [{ openReader }, { parseOutput }, { keepOn }] = await Promise.all([
    import('../reader.ts'),
    import('../render/log-output.ts'),
    import('../../assemble/keep-on.ts'),
  ]);
  const format = { output: parseOutput(options.output, false), utc: options.utc ?? false };
  const store = await openReader(access);
  collectEarly();
  try {
    const write = await prepare(call, { access, store, options, place, format });
    const { json } = await write();
    answer(call, json, '');
    if (!options.follow) return;
    await keepOn(store, call.context.signal, async () => {
      const next = await write();
      if (next.isChanged) answer(call, next.json, '');
    });
  } finally {
    store.close();
  }
}

interface Preparation {
  readonly access: MachineAccess;
  readonly store: Store;
  readonly options: AssembleOptions;
  readonly place: Place;
  readonly format: FormatOptions;
}

/** @returns what brings the place up to date, each time that it is called */
async function prepare(
  call: Invocation,
  { access, store, options, place, format }: Preparation,
): Promise<() => Promise<{ json: object; isChanged: boolean }>> {
  const [{ assembleToFile }, { assembleByDay }, { parseFilter }, { resolveLastRuns }, { placeLock }, { showProgress }] =
    await Promise.all([
      import('../../assemble/to-file.ts'),
      import('../../assemble/by-day.ts'),
      import('../log-filter.ts'),
      import('../last-runs.ts'),
      import('../place-lock.ts'),
      import('../render/progress.ts'),
    ]);
  const readNames = () => store.names(access.identity.id);
  const wanted = resolveLastRuns(options, store, access.identity.id, call.context.now());
  const filter = parseFilter(wanted, readNames(), call.context.now());
  const memory = { dir: access.paths.assembled, lock: placeLock(call) };
  return async () => {
    const names = readNames();
    const progress = showProgress(call, store.lineCount());
    const read = {
      nameOf: (feed: string) => names.get(feed),
      signal: call.context.signal,
      onUnreadable: (messages: number) => note(call, `${messages} messages could not be read: the store is damaged`),
    };
    const all = { format, read, memory, onProgress: progress.update };
    try {
      if ('dir' in place) {
        const result = await assembleByDay(store, filter, place.dir, all);
        return { json: { dir: place.dir, ...result }, isChanged: result.written > 0 };
      }
      const onForgotten = (error: SsblogError) => note(call, `${error.message}; the next call writes all of it anew`);
      const { isChanged, ...result } = await assembleToFile(store, filter, place.file, { ...all, onForgotten });
      return { json: { file: place.file, ...result }, isChanged };
    } finally {
      progress.end();
    }
  };
}

type Place = { readonly file: string } | { readonly dir: string };

/** @throws SsblogError `usage` unless there is exactly one */
function placeOf({ file, byDay }: AssembleOptions): Place {
  if (file !== undefined && byDay === undefined && file !== '') return { file: resolve(file) };
  if (byDay !== undefined && file === undefined && byDay !== '') return { dir: resolve(byDay) };
  throw new SsblogError('usage', 'assemble writes either into a file (-o FILE) or into a directory (--by-day DIR)', {
    hint: 'give one of them; see: ssblog assemble --help',
  });
}
