/** Who holds the machine, and whether it answers. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Identity } from '../config/identity.ts';
import type { Config } from '../config/keys.ts';
import type { MachinePaths } from '../config/paths.ts';
import { SsblogError } from '../errors.ts';
import type { PeerStatus } from '../peer/control.ts';
import { takeLock } from '../peer/lock.ts';
import { isDaemonListening } from '../peer/socket.ts';
import { type DaemonState, isOpen } from './finding.ts';

/** Whoever starts or ends holds the lock for a moment and does not answer. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 100;

interface Access {
  readonly paths: MachinePaths;
  readonly config: Config | SsblogError;
  readonly identity: Identity | SsblogError;
}

export async function findDaemon(access: Access): Promise<DaemonState> {
  const { paths } = access;
  const giveUpAt = Date.now() + PATIENCE_MS;
  do {
    const failure = tryLock(paths);
    if (failure === undefined) return { kind: 'none' };
    if (failure.code !== 'locked') return { kind: 'unknown', failure };
    const answer = await inTime(ask(access), giveUpAt - Date.now());
    if (answer !== undefined) return { kind: 'running', status: answer.status };
    await delay(RETRY_MS);
  } while (Date.now() < giveUpAt);
  return { kind: 'silent', pid: lockHolder(paths) };
}

/** @returns why it cannot be had; nothing is made when there is none */
function tryLock(paths: MachinePaths): SsblogError | undefined {
  if (!existsSync(paths.lock)) return undefined;
  try {
    takeLock(paths).close();
    return undefined;
  } catch (error) {
    if (error instanceof SsblogError) return error;
    throw error;
  }
}

/** @returns undefined when nobody answers */
async function ask({ paths, config, identity }: Access): Promise<{ status: PeerStatus | undefined } | undefined> {
  if (!isOpen(config) || !isOpen(identity)) return (await isDaemonListening(paths)) ? { status: undefined } : undefined;
  const { connectDaemon } = await import('../peer/client.ts');
  try {
    const daemon = await connectDaemon(config, identity, paths);
    if (daemon === undefined) return undefined;
    try {
      return { status: await daemon.status() };
    } finally {
      await daemon.close();
    }
  } catch (error) {
    if (error instanceof SsblogError) return undefined; // it goes away just now, or its socket is not safe
    throw error;
  }
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const late = new AbortController();
  work.catch(() => undefined); // when it is late nobody waits for it any more
  try {
    return await Promise.race([work, delay(ms, undefined, { signal: late.signal })]);
  } finally {
    late.abort();
  }
}

/** Linux shows which process has a file open; elsewhere it is not known. */
function lockHolder({ lock }: MachinePaths): number | undefined {
  for (const pid of entriesOf('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const directory = `/proc/${pid}/fd`;
    for (const descriptor of entriesOf(directory)) {
      try {
        if (readlinkSync(`${directory}/${descriptor}`) === lock) return Number(pid);
      } catch {
        // It was closed meanwhile.
      }
    }
  }
  return undefined;
}

/** Of another user's process, or one that has ended, there is nothing to see. */
function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
