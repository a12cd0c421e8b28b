/** Reaches a machine's peer: the daemon when one runs, else a peer in this process, under the lock. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Identity } from '../config/identity.ts';
import type { Config } from '../config/keys.ts';
import type { MachinePaths } from '../config/paths.ts';
import { SsblogError } from '../errors.ts';
import { connectDaemon } from './client.ts';
import type { Control } from './control.ts';

export interface MachineAccess {
  readonly config: Config;
  readonly identity: Identity;
  readonly paths: MachinePaths;
  readonly notice: (text: string) => void;
}

export interface OwnPeerOptions {
  /** Where there is no daemon, the peer in this process dials other machines; nobody can dial it. */
  readonly dials?: boolean;
}

/** A process that holds the lock but does not answer yet is starting or ending: it gets this long. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 50;

/** @throws SsblogError `locked` when another process holds the machine and does not answer */
export async function openControl(access: MachineAccess, options: OwnPeerOptions = {}): Promise<Control> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const daemon = await connectDaemon(access.config, access.identity, access.paths);
    if (daemon !== undefined) return daemon;
    try {
      return await openOwnPeer(access, options);
    } catch (error) {
      if (!(error instanceof SsblogError) || error.code !== 'locked' || Date.now() > giveUpAt) throw error;
    }
    await delay(RETRY_MS);
  }
}

async function openOwnPeer(access: MachineAccess, { dials = false }: OwnPeerOptions): Promise<Control> {
  const { openPeer } = await import('./peer.ts');
  const peer = await openPeer({ ...access, network: dials, listens: false });
  // A daemon that starts meanwhile asks for the machine; who uses this peer then finds it lost, and the daemon there.
  void peer.stopRequested.then(() => peer.close()).catch((error: Error) => access.notice(error.message));
  peer.failed.catch((error: Error) => access.notice(`the feed cannot be written: ${error.message}`));
  return peer;
}
