/**
 * Whose turn it is to tell a person whom several machines tell. Each says so once on its feed; the one with the lowest
 * id of those that are alive tells, and the others wait a turn each, longer the higher their ids: whoever finds on the
 * feeds that it was told keeps silent. Nobody has to be elected, and nobody's silence loses anything. Pure.
 */

export interface Rival {
  readonly id: string;
  readonly isConnected: boolean;
  /** When it was last known to be alive; undefined when that is not known. */
  readonly heardAt: number | undefined;
}

/** A machine that was not heard of for so long has no turn. */
const ALIVE_MS = 90 * 60_000;

/** A machine that nobody is connected with says that it is alive when it has said nothing else for so long. */
const RENEW_MS = 30 * 60_000;

/** How many turns a machine waits at most, however many say that they tell. */
const MAX_TURNS = 5;

function isAlive({ isConnected, heardAt }: Rival, now: number): boolean {
  return isConnected || (heardAt !== undefined && now - heardAt < ALIVE_MS);
}

/** How many turns this machine waits: 0, it tells at once. */
export function turnOf(self: string, rivals: readonly Rival[], now: number): number {
  return Math.min(rivals.filter((rival) => rival.id < self && isAlive(rival, now)).length, MAX_TURNS);
}

/**
 * Whether this machine has to say again that it is alive: feeds never shrink, so only where somebody would miss it.
 * @param isBack it has just started: those who gave it up do not say that they are alive either
 */
export function mustRenew(
  rivals: readonly Rival[],
  { lastOwnMessageAt, isBack }: { lastOwnMessageAt: number | undefined; isBack: boolean },
  now: number,
): boolean {
  const isMissed = rivals.some((rival) => !rival.isConnected && (isBack || isAlive(rival, now)));
  return isMissed && now - (lastOwnMessageAt ?? 0) >= RENEW_MS;
}
