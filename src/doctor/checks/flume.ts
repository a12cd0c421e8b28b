/**
 * With --verify, for the engine ssb-server: whether flume's log is sound, and whether each feed ends in the mirror as in
 * flume. Each message names the one before it, so feeds that end alike are alike.
 */
import { flumeBytes } from '../../peer/engines/freshness.ts';
import { type Finding, isOpen, type Machine } from '../finding.ts';
import { flumeDamage } from '../flume-damage.ts';
import { nameOf } from '../names.ts';

export async function checkFlume(machine: Machine): Promise<Finding[]> {
  const { options, config, paths } = machine;
  if (!options.thorough || !isOpen(config) || config.engine !== 'ssb-server') return [];
  const damage = await flumeDamage(machine);
  // Who opens a damaged log is ended by it.
  if (damage === undefined) return compareWithMirror(machine);
  const { soundBytes, totalBytes } = damage;
  return [
    {
      code: 'flume-damaged',
      severity: 'error',
      message: `${paths.flumeLog} is damaged after ${soundBytes} of ${totalBytes} bytes`,
      hint: 'ssblog doctor --fix keeps what stands before, gives it back what the store has, and keeps the old file beside',
      repair: 'flume',
    },
  ];
}

/** Only while nobody else has flume open. */
async function compareWithMirror(machine: Machine): Promise<Finding[]> {
  const { options, store, config, identity, daemon, paths } = machine;
  if (!isOpen(store) || !isOpen(config) || !isOpen(identity)) return [];
  if (daemon.kind !== 'none' || flumeBytes(paths) === 0) return [];
  const { differingFeeds } = await import('../../peer/engines/compare-ends.ts');
  const feeds = await differingFeeds({ config, identity, paths, notice: options.notice }, store);
  return feeds.map((feed) => ({
    code: 'mirror',
    severity: 'error',
    message: `${nameOf(machine, feed)} is not the same in the store and in flume`,
    hint: 'ssblog doctor --fix makes the store anew from flume',
    repair: 'mirror',
  }));
}
