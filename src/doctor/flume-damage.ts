/** Whether flume's log is damaged, without keeping the process from anything else. */
import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SsblogError } from '../errors.ts';
import { type FlumeDamage, findFlumeDamage } from '../peer/engines/flume-log.ts';
import { isOpen, type Machine } from './finding.ts';

export async function flumeDamage({ paths, config, options }: Machine): Promise<FlumeDamage | undefined> {
  if (!isOpen(config) || config.engine !== 'ssb-server' || !existsSync(paths.flumeLog)) return undefined;
  const steps = findFlumeDamage(paths.flumeLog);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await nextTurn();
    options.signal.throwIfAborted();
  }
}

/** Who opens a damaged log is ended by it. @throws SsblogError `store` */
export async function requireSoundFlume(machine: Machine): Promise<void> {
  if ((await flumeDamage(machine)) === undefined) return;
  throw new SsblogError('store', `${machine.paths.flumeLog} is damaged`, {
    hint: 'mend that first: ssblog doctor --verify --fix',
  });
}
