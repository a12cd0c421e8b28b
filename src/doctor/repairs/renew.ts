/** What every peer does when it opens: an older store is brought up to date, the spool is emptied, the WAL taken in. */
import { openControl } from '../../peer/open-control.ts';
import { isOpen, type Machine } from '../finding.ts';
import { requireSoundFlume } from '../flume-damage.ts';

export async function renew(machine: Machine): Promise<void> {
  const { config, identity, paths, daemon, options } = machine;
  // A daemon does all that by itself.
  if (!isOpen(config) || !isOpen(identity) || daemon.kind !== 'none') return;
  await requireSoundFlume(machine);
  const control = await openControl({ config, identity, paths, notice: options.notice });
  await control.close();
}
