/** `engine`: changes what keeps the feeds. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import { answer, type Context, type Invocation, invocation, loadMachine } from '../context.ts';

export function register(program: Command, context: Context): void {
  program
    .command('engine')
    .description('take over the feeds of the engine ssb-server into the store, for good')
    .argument('<engine>', 'sqlite')
    .addHelpText(
      'after',
      `
Stop the daemon first. Every message is checked; when it is interrupted, the machine is what it was,
and the next call goes on. The old files are kept beside, as flume.old, to be removed by hand.`,
    )
    .action((engine: string, _options, command: Command) => run(invocation(context, command), engine));
}

async function run(call: Invocation, engine: string): Promise<void> {
  const access = await loadMachine(call);
  if (engine === 'ssb-server') throw new SsblogError('usage', 'there is no way back to the engine ssb-server');
  if (engine !== 'sqlite') throw new SsblogError('usage', `"${engine}" is not an engine`, { hint: 'use: sqlite' });
  const [{ takeOver }, { showProgress }] = await Promise.all([
    import('../../peer/engines/take-over.ts'),
    import('../render/progress.ts'),
  ]);
  let progress: ReturnType<typeof showProgress> | undefined;
  try {
    const result = await takeOver({
      ...access,
      signal: call.context.signal,
      onProgress: (done, total) => {
        progress ??= showProgress(call, total, 'messages');
        progress.update(done);
      },
    });
    progress?.end();
    const { messages, feeds, old } = result;
    const kept = old === null ? '' : `the old files are in ${old}: remove them when you need them no more\n`;
    answer(call, { engine, ...result }, `engine sqlite: ${messages} messages of ${feeds} machines\n${kept}`);
  } finally {
    progress?.end();
  }
}
