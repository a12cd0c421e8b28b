/** Feeds that this machine wants and does not have, as far as it and its peers know. */
import { hopsFrom } from '../../store/hops.ts';
import { type Finding, isOpen, type Machine } from '../finding.ts';
import { nameOf } from '../names.ts';

export function checkReplication(machine: Machine): Finding[] {
  const { store, identity, config, daemon } = machine;
  if (!isOpen(store) || !isOpen(identity) || !isOpen(config)) return [];
  const clock = store.clock();
  const wanted = [...hopsFrom(identity.id, store.contacts(), config.hops).keys()];
  const findings = wanted
    .filter((id) => id !== identity.id && (clock.get(id) ?? 0) === 0)
    .map(
      (id): Finding => ({
        code: 'feed-missing',
        severity: 'info',
        message: `nothing of ${nameOf(machine, id)} has come yet, which is followed`,
        hint: 'connect to it, or to a machine that has its feed: ssblog connect ADDRESS',
      }),
    );
  const status = daemon.kind === 'running' ? daemon.status : undefined;
  for (const { message, hint } of status?.paused ?? []) {
    findings.push({ code: 'replication-paused', severity: 'warning', message, hint });
  }
  const progress = status?.replication;
  if (progress !== undefined && progress.known > progress.have) {
    findings.push({
      code: 'replication',
      severity: 'info',
      message: `${progress.known - progress.have} messages that connected peers know of are still to come`,
      hint: 'wait; if it stays so, see: ssblog status',
    });
  }
  return findings;
}
