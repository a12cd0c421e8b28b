/** `config`: every setting, its value and where it came from. */
import type { Command } from 'commander';
import { CONFIG_KEYS, SECRET_KEYS } from '../../config/keys.ts';
import { maskNotifiers } from '../../config/notifiers.ts';
import { answer, type Context, type Invocation, invocation, loadMachineConfig } from '../context.ts';
import { renderTable } from '../render/table.ts';

const MASK = '********';

export function register(program: Command, context: Context): void {
  program
    .command('config')
    .description('show every setting and where its value comes from')
    .action((_options, command: Command) => run(invocation(context, command)));
}

async function run(call: Invocation): Promise<void> {
  const { config, origins } = await loadMachineConfig(call);
  const rows = CONFIG_KEYS.map((key) => ({
    key,
    value: SECRET_KEYS.has(key) ? MASK : (config[key] ?? null),
    origin: origins[key] ?? 'default',
  }));
  const notify = maskNotifiers(config.notify);
  const json = {
    ...Object.fromEntries(rows.map(({ key, value, origin }) => [key, { value, origin }])),
    notify: { value: notify ?? null, origin: notify === undefined ? 'default' : 'file' },
  };
  answer(
    call,
    json,
    renderTable(
      ['KEY', 'VALUE', 'FROM'],
      [
        ...rows.map((row) => [row.key, String(row.value ?? '-'), row.origin]),
        ['notify', notifierNames(notify), notify === undefined ? 'default' : 'file'],
      ],
    ),
  );
}

/** Their names only: all of it is in the file, and with `--json`. */
function notifierNames(notify: unknown): string {
  if (!Array.isArray(notify)) return '-';
  return notify.map((notifier: { name?: unknown } | null) => String(notifier?.name ?? '?')).join(', ') || '-';
}
