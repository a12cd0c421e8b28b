/**
 * With --verify, for the engine ssb-server: whether each feed ends in the mirror as in flume. Each message names the
 * one before it, so feeds that end alike are alike. Only while nobody else has flume open.
 */
import { flumeBytes } from '../../peer/engines/freshness.ts';
import { type Finding, isOpen, type Machine } from '../finding.ts';
import { nameOf } from '../names.ts';

export async function checkFlume(machine: Machine): Promise<Finding[]> {
  const { options, store, config, identity, daemon, paths } = machine;
  if (!options.thorough || !isOpen(store) || !isOpen(config) || !isOpen(identity)) return [];
  if (config.engine !== 'ssb-server' || daemon.kind !== 'none' || flumeBytes(paths) === 0) return [];
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
