/** Whether the engine of the config is the one whose files are here, and how near flume is to its end. */
import { FLUME_LIMITS } from '../../peer/engines/flume-limit.ts';
import { flumeBytes } from '../../peer/engines/freshness.ts';
import { hadRecord } from '../../peer/engines/record-mark.ts';
import { type Finding, isOpen, type Machine } from '../finding.ts';

const GIB = 2 ** 30;

export function checkEngine({ config, paths }: Machine): Finding[] {
  if (!isOpen(config)) return [];
  const bytes = flumeBytes(paths);
  if (config.engine === 'sqlite') {
    if (bytes === 0 || hadRecord(paths)) return [];
    return [
      {
        code: 'engine',
        severity: 'error',
        message: `the feeds are kept by the engine "ssb-server" (${paths.flume}), the config asks for "sqlite"`,
        hint: 'take them over with: ssblog engine sqlite, or set "engine" to "ssb-server" in config.json',
      },
    ];
  }
  if (hadRecord(paths) && bytes === 0) {
    return [
      {
        code: 'engine',
        severity: 'error',
        message: `the feeds are kept by the engine "sqlite" (${paths.recordMark}), the config asks for "ssb-server"`,
        hint: 'set "engine" to "sqlite" in config.json',
      },
    ];
  }
  if (bytes < FLUME_LIMITS.warnBytes) return [];
  return [
    {
      code: 'flume-size',
      severity: bytes < FLUME_LIMITS.refuseBytes ? 'warning' : 'error',
      message: `flume's log has ${(bytes / GIB).toFixed(2)} GiB, and can hold no more than 4`,
      hint: 'stop the daemon and take the feeds over into the store, which has no such limit: ssblog engine sqlite',
    },
  ];
}
