/** `invite`: prints a join code for another machine, and lists and takes back what was given. */
import type { Command } from 'commander';
import { SsblogError } from '../../errors.ts';
import type { Control } from '../../peer/control.ts';
import type { OpenInvite } from '../../peer/invites/book.ts';
import { answer, type Context, type Invocation, invocation, loadMachine, note } from '../context.ts';

const DEFAULT_EXPIRY = '7d';

interface InviteOptions {
  readonly uses: string;
  readonly expires: string;
  readonly qr?: boolean;
  readonly list?: boolean;
  readonly revoke?: string;
}

export function register(program: Command, context: Context): void {
  program
    .command('invite')
    .description('print a join code, with which another machine joins: ssblog join CODE')
    .option('--uses <n>', 'for so many machines', '1')
    .option('--expires <time>', 'for how long: 90s, 2h, 7d … or "never"', DEFAULT_EXPIRY)
    .option('--qr', 'also draw it as a QR code, on a terminal')
    .option('--list', 'list the invites that can still be used')
    .option('--revoke <id>', 'take back the invite that --list calls so')
    .addHelpText(
      'after',
      `
Whoever has the code can read the logs of the network, for it holds the network key: send it as you would a password.
An invite that expired, was used up or taken back makes nobody followed any more; the network key in it stays good.`,
    )
    .action((options: InviteOptions, command: Command) => run(invocation(context, command), options));
}

async function run(call: Invocation, options: InviteOptions): Promise<void> {
  const access = await loadMachine(call);
  const wanted = await checkOptions(options);
  const { openControl } = await import('../../peer/open-control.ts');
  const control = await openControl(access);
  try {
    if (options.list) await list(call, control);
    else if (options.revoke !== undefined) await revoke(call, control, options.revoke);
    else await invite(call, control, { ...wanted, qr: options.qr === true });
  } finally {
    await control.close();
  }
}

async function checkOptions({ uses, expires }: InviteOptions): Promise<{ uses: number; expiresInMs: number | null }> {
  const [{ MAX_USES }, { parseDuration }] = await Promise.all([
    import('../../peer/invites/book.ts'),
    import('../../config/duration.ts'),
  ]);
  if (!/^[1-9]\d{0,3}$/.test(uses) || Number(uses) > MAX_USES) {
    throw new SsblogError('usage', `--uses must be a whole number from 1 to ${MAX_USES}`);
  }
  const expiresInMs = expires === 'never' ? null : parseDuration(expires);
  if (expiresInMs === undefined || expiresInMs === 0) {
    throw new SsblogError('usage', '--expires must be a time like 90s, 2h or 7d, or "never"');
  }
  return { uses: Number(uses), expiresInMs };
}

async function invite(
  call: Invocation,
  control: Control,
  { uses, expiresInMs, qr }: { uses: number; expiresInMs: number | null; qr: boolean },
): Promise<void> {
  const { code, addresses } = await control.invite({ uses, expiresInMs });
  answer(call, { code }, `${code}\n`);
  if (call.globals.json) return;
  if (qr && call.context.stdout.isTTY) {
    const [{ renderQr }, { chalkFor }] = await Promise.all([import('../render/qr.ts'), import('../render/jobs.ts')]);
    const { columns, rows } = call.context.stdout;
    const isColoured = chalkFor(call.context, call.globals).level > 0;
    const { drawn = '', problem } = renderQr(code, { columns, rows, isColoured });
    call.context.stdout.write(drawn);
    if (problem !== undefined) note(call, problem);
    else if (!isColoured) note(call, 'without colours, phones read the QR code on a dark terminal only');
  } else if (qr) note(call, 'a QR code is drawn on a terminal only');
  const { renderDuration } = await import('../render/units.ts');
  const until = expiresInMs === null ? 'does not expire' : `expires in ${renderDuration(expiresInMs)}`;
  note(
    call,
    `for ${uses === 1 ? 'one machine' : `${uses} machines`}, ${until}; it holds the network key: keep it secret`,
  );
  note(call, 'next, on the other machine: ssblog join CODE');
  if (addresses.length === 0) note(call, 'this machine has no network address now: the code holds none');
  if (!control.isDaemon)
    note(call, 'no daemon runs here: the other machine reaches this one when it does: ssblog start');
}

async function list(call: Invocation, control: Control): Promise<void> {
  const [{ renderTable }, { renderDuration, renderAgo }] = await Promise.all([
    import('../render/table.ts'),
    import('../render/units.ts'),
  ]);
  const invites = await control.invites();
  const now = call.context.now();
  const row = ({ id, createdMs, usesLeft, expiresMs }: OpenInvite) => [
    id,
    renderAgo(createdMs, now),
    String(usesLeft),
    expiresMs === null ? 'never' : `in ${renderDuration(expiresMs - now)}`,
  ];
  answer(call, invites, renderTable(['ID', 'MADE', 'USES LEFT', 'EXPIRES'], invites.map(row)));
}

async function revoke(call: Invocation, control: Control, id: string): Promise<void> {
  if (!(await control.revokeInvite(id))) {
    throw new SsblogError('usage', `there is no invite ${JSON.stringify(id)}`, { hint: 'see: ssblog invite --list' });
  }
  answer(call, { id, revoked: true }, `taken back: ${id}\n`);
}
