/** The daemon: a peer with its network, from `start` to SIGTERM. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SsblogError } from '../errors.ts';
import { connectDaemon } from './client.ts';
import type { PeerStatus } from './control.ts';
import type { MachineAccess } from './open-control.ts';
import { type LocalPeer, openPeer } from './peer.ts';

/** A command that holds the machine for a moment gets this long to let go. */
const HAND_OVER_MS = 10_000;
const RETRY_MS = 50;

export interface DaemonOptions {
  /** Tells systemd when it is ready. */
  readonly underSystemd: boolean;
  readonly noCatchUp: boolean;
}

/**
 * @throws SsblogError `locked` when another daemon has the machine, `port` when the port is taken
 */
export async function startDaemon(
  access: MachineAccess,
  { underSystemd, noCatchUp }: DaemonOptions,
): Promise<LocalPeer> {
  const peer = await openWhenFree(access, noCatchUp);
  // For stock clients, which read the names of the methods from it.
  writeFileSync(access.paths.manifest, `${JSON.stringify(peer.manifest, null, 2)}\n`, { mode: 0o600 });
  if (underSystemd) notifySystemd('--ready', access.notice);
  return peer;
}

async function openWhenFree(access: MachineAccess, noCatchUp: boolean): Promise<LocalPeer> {
  const giveUpAt = Date.now() + HAND_OVER_MS;
  for (;;) {
    try {
      return await openPeer({ ...access, network: true, noCatchUp });
    } catch (error) {
      if (!(error instanceof SsblogError) || error.code !== 'locked' || Date.now() > giveUpAt) throw error;
      const daemon = await askToYield(access);
      if (daemon !== undefined) {
        throw new SsblogError('locked', `a daemon is running already (process ${daemon.pid})`, {
          hint: 'see: ssblog status; stop it with: ssblog stop',
        });
      }
    }
    await delay(RETRY_MS);
  }
}

/**
 * A command's own peer ends when it is asked, and its command goes on with the daemon.
 * @returns the status of a daemon, which is not asked; undefined when the machine will be free
 */
async function askToYield(access: MachineAccess): Promise<PeerStatus | undefined> {
  const holder = await connectDaemon(access.config, access.identity, access.paths);
  if (holder === undefined) return undefined; // it is starting or ending
  try {
    const status = await holder.status();
    if (!status.temporary) return status;
    await holder.stop();
    return undefined;
  } catch (error) {
    if (error instanceof SsblogError && error.code === 'lost') return undefined;
    throw error;
  } finally {
    await holder.close();
  }
}

/** Tells systemd that the service is ready (sd_notify(3)); Node has no datagram sockets on unix paths. */
function notifySystemd(state: '--ready', notice: (text: string) => void): void {
  execFile('systemd-notify', [state], (error) => {
    if (error) notice(`systemd could not be notified: ${error.message}`);
  });
}
