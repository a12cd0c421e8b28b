/** Whether `config.json` can be read and every value is what it must be. */
import { type Finding, isOpen, type Machine } from '../finding.ts';

export function checkConfig({ config }: Machine): Finding[] {
  if (isOpen(config)) return [];
  return [
    {
      code: 'config',
      severity: 'error',
      message: config.message,
      hint: config.code === 'no-machine' ? 'restore config.json from a backup' : (config.hint ?? 'see: ssblog config'),
    },
  ];
}
