/** `assemble`: the combined log into a file. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';
import { addFilterOptions, addOutputOption, type FilterOptions, type OutputOptions } from '../filter-options.ts';

interface AssembleOptions extends FilterOptions, OutputOptions {
  /** `-o`: a file. */
  readonly file: string;
}

export function register(program: Command, context: Context): void {
  const command = program
    .command('assemble')
    .description('write the combined log of all machines into a file')
    .requiredOption('-o, --file <file>', 'the file; it is written beside and renamed, so that it is never half there');
  addOutputOption(addFilterOptions(command)).action((options: AssembleOptions, self: Command) =>
    run(invocation(context, self), options),
  );
}

async function run(call: Invocation, options: AssembleOptions): Promise<void> {
  const { context } = call;
  const access = await loadMachine(call);
  const [{ openReader }, { assembleToFile }, { parseFilter }, { parseOutput }, { showProgress }] = await Promise.all([
    import('../reader.ts'),
    import('../../assemble/to-file.ts'),
    import('../log-filter.ts'),
    import('../render/log-output.ts'),
    import('../render/progress.ts'),
  ]);
  const output = parseOutput(options.output, false);
  const store = await openReader(access);
  const progress = showProgress(call, store.lineCount());
  try {
    const names = store.names(access.identity.id);
    const filter = parseFilter(options, names, context.now());
    const file = resolve(options.file);
    const { lines, ms } = await assembleToFile(store, filter, file, {
      format: { output, utc: options.utc ?? false },
      read: {
        nameOf: (feed) => names.get(feed),
        signal: context.signal,
        onUnreadable: (messages) => note(call, `${messages} messages could not be read: the store is damaged`),
      },
      onProgress: progress.update,
    });
    progress.end();
    answer(call, { file, lines, ms }, '');
  } finally {
    progress.end();
    store.close();
  }
}
