/** What every peer does when it opens: an older store is brought up to date, the spool is emptied, the WAL taken in. */
import { SsblogError } from '../../errors.ts';
import { mustCatchUp } from '../../peer/engines/own-feed-guard.ts';
import { openControl } from '../../peer/open-control.ts';
import { isOpen, type Machine } from '../finding.ts';
import { requireSoundFlume } from '../flume-damage.ts';

export async function renew(machine: Machine): Promise<void> {
  const { config, identity, paths, daemon, options } = machine;
  // A daemon does all that by itself.
  if (!isOpen(config) || !isOpen(identity) || daemon.kind !== 'none') return;
  // A peer writes as soon as it is open: its name, and what waits in the spool.
  if (mustCatchUp(paths)) {
    throw new SsblogError('store', 'this machine must have its own messages back before it writes', {
      hint: 'start the daemon and let a machine that follows this one connect: ssblog start',
    });
  }
  await requireSoundFlume(machine);
  const control = await openControl({ config, identity, paths, notice: options.notice });
  await control.close();
}
