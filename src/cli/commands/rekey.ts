/** `rekey`: gives the network another key, without whom this machine blocks. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import type { RekeyOptions } from '../../peer/rekey/options.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';

const DEFAULT_GRACE = '90d';

interface Options {
  readonly grace?: string;
  readonly now?: boolean;
  readonly status?: boolean;
}

export function register(program: Command, context: Context): void {
  program
    .command('rekey')
    .description('change the network key, for all machines but those that are blocked here')
    .option(
      '--grace <time>',
      `accept the old key for so long, from machines within the hops (default: ${DEFAULT_GRACE})`,
    )
    .option('--now', 'accept the key before the last change no more, on all machines')
    .option('--status', 'show who has the new key')
    .addHelpText(
      'after',
      `
Followed machines get the new key in a private message, take it over by themselves and pass it on to those that they
follow. A machine that is away gets it when it comes back, as long as the old key is accepted; after that, put the
"networkKey" of another machine's config.json into its own. Join codes made before are void.
When a machine was stolen: ssblog block MACHINE, then ssblog rekey. Stock SSB peers do not take part.`,
    )
    .action((options: Options, command: Command) => run(invocation(context, command), options));
}

async function run(call: Invocation, options: Options): Promise<void> {
  const access = await loadMachine(call);
  const wanted = await checkOptions(options);
  if (wanted === undefined) return showStatus(call);
  const { openControl } = await import('../../peer/open-control.ts');
  const control = await openControl(access);
  try {
    const result = await control.rekey(wanted);
    const { renderMoment } = await import('../render/rekey.ts');
    const until = 'end' in wanted ? 'is refused from now on' : `is accepted until ${renderMoment(result.untilMs)}`;
    const shutOut = result.shutOut.length === 0 ? '' : `, not to ${result.shutOut.length} that are shut out`;
    const what = 'end' in wanted ? 'told' : 'the network key is changed, and announced';
    answer(
      call,
      result,
      `${what} to ${result.told} ${result.told === 1 ? 'machine' : 'machines'}${shutOut}; the old key ${until}\n`,
    );
    if (!control.isDaemon) note(call, 'no daemon runs here: others hear of it when it does: ssblog start');
    if (!('end' in wanted))
      note(call, 'who has it: ssblog rekey --status; to end the old one sooner: ssblog rekey --now');
  } finally {
    await control.close();
  }
}

/** @returns undefined for `--status` */
async function checkOptions({ grace, now, status }: Options): Promise<RekeyOptions | undefined> {
  const given = [grace !== undefined && '--grace', now && '--now', status && '--status'].filter(Boolean);
  if (given.length > 1) throw new SsblogError('usage', `${given.join(' and ')} do not go together`);
  if (status) return undefined;
  if (now) return { end: true };
  const { parseDuration } = await import('../../config/duration.ts');
  const graceMs = parseDuration(grace ?? DEFAULT_GRACE);
  if (graceMs === undefined || graceMs === 0) {
    throw new SsblogError('usage', '--grace must be a time like 2h, 7d or 12w', {
      hint: 'to end the old key at once: ssblog rekey, then ssblog rekey --now',
    });
  }
  return { graceMs };
}

async function showStatus(call: Invocation): Promise<void> {
  const access = await loadMachine(call);
  const [{ openReader }, { rekeyProgress }, { renderRekey }] = await Promise.all([
    import('../reader.ts'),
    import('../rekey-progress.ts'),
    import('../render/rekey.ts'),
  ]);
  const store = await openReader(access);
  try {
    const progress = rekeyProgress(access, store);
    answer(call, progress, renderRekey(progress, call.context.now()));
  } finally {
    store.close();
  }
}
