/** Whether those who are to be told can be: the settings, and how the last attempts went. */
import { parseNotifiers } from '../../config/notifiers.ts';
import { SsblogError } from '../../errors.ts';
import { readNotifyState } from '../../notify/state-file.ts';
import { type Finding, isOpen, type Machine } from '../finding.ts';

export function checkNotify({ config, paths, daemon }: Machine): Finding[] {
  if (!isOpen(config) || config.notify === undefined) return [];
  let names: string[];
  try {
    names = parseNotifiers(config).map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof SsblogError)) throw error;
    return [{ code: 'notify-config', severity: 'error', message: error.message, hint: error.hint ?? '' }];
  }
  const findings: Finding[] = [];
  if (names.length > 0 && daemon.kind === 'none') {
    findings.push({
      code: 'notify-no-daemon',
      severity: 'info',
      message: 'nobody is told anything while no daemon runs',
      hint: 'start one: ssblog start',
    });
  }
  const { notifiers } = readNotifyState(paths.notify);
  for (const name of names) {
    const state = notifiers[name];
    if (state === undefined) continue;
    const { failures, failingSince, lastError, patternProblem } = state;
    if (failingSince !== null) {
      findings.push({
        code: 'notify-failing',
        severity: 'warning',
        message: `the notifier "${name}" failed ${failures === 1 ? 'once' : `${failures} times in a row`}, since ${new Date(failingSince).toISOString()}: ${lastError}`,
        hint: `it is tried again by itself; try it now with: ssblog notify test ${JSON.stringify(name)}`,
      });
    }
    if (patternProblem !== null) {
      findings.push({
        code: 'notify-pattern',
        severity: 'warning',
        message: `the pattern of the notifier "${name}" is not looked for: ${patternProblem}`,
        hint: 'write it so that it cannot try one text in very many ways, as (a+)+ does, and start the daemon again',
      });
    }
  }
  return findings;
}
