/** The named points at which processes are killed, who passes them, and which have been hit. */
import { existsSync, readFileSync } from 'node:fs';
import type { Random } from '../helpers/random.ts';

const both = (name: string) => [`${name}.before`, `${name}.after`];

export const POINTS = {
  /** A daemon that is given lines. */
  sender: [...both('publish'), ...both('commit'), ...both('acknowledge')],
  /** A daemon that starts. */
  starting: [...both('lock'), ...both('socket-unlink'), ...both('manifest-write')],
  /** A daemon that starts with a full spool. */
  draining: [...both('publish'), ...both('commit'), ...both('spool-unlink')],
  /** A daemon that has just connected. */
  connected: both('addresses-rename'),
  /** A daemon that replicates. */
  follower: [...both('verify'), ...both('commit')],
  /** A `pipe` with a daemon. */
  pipe: [...both('call'), ...both('report')],
  /** A `pipe` that is its own peer. */
  alone: [...both('lock'), ...both('publish'), ...both('commit'), ...both('report')],
  /** A `pipe` that has nothing but the spool. */
  spooling: [
    ...both('spool-open'),
    'spool-write.torn',
    ...both('spool-write'),
    ...both('spool-fsync'),
    ...both('spool-rename'),
    ...both('spool-fsync-directory'),
    ...both('report'),
  ],
} as const satisfies Record<string, readonly string[]>;

export type Role = keyof typeof POINTS;

export interface Point {
  readonly role: Role;
  readonly name: string;
  readonly passages: number;
}

/** An order to let it live. */
export const NO_POINT: Point = { role: 'sender', name: 'none', passages: 1 };

/** Passages up to which a point that has been hit is let go by. */
const MAX_PASSAGES = 12;

export class Points {
  /** Where a process writes the point at which it ends. */
  readonly file: string;
  readonly #random: Random;
  readonly #ordered = new Map<string, number>();

  constructor(file: string, random: Random) {
    this.file = file;
    this.#random = random;
  }

  /** A point that was not hit yet, else any. */
  choose(role: Role, maxPassages = MAX_PASSAGES): Point {
    // Of those that were not hit, the one that was ordered least: an order is not always carried out.
    const ordered = (name: string) => this.#ordered.get(`${role}:${name}`) ?? 0;
    const [name] = this.missing(role).sort((one, other) => ordered(one) - ordered(other));
    if (name !== undefined) {
      this.#ordered.set(`${role}:${name}`, ordered(name) + 1);
      return { role, name, passages: 1 };
    }
    return { role, name: this.#random.pick(POINTS[role]), passages: 1 + this.#random.below(maxPassages) };
  }

  missing(role?: Role): string[] {
    const hits = this.#hits();
    const roles = role === undefined ? (Object.keys(POINTS) as Role[]) : [role];
    return roles.flatMap((one) =>
      POINTS[one].filter((name) => !hits.has(`${one}:${name}`)).map((name) => (role ? name : `${one}:${name}`)),
    );
  }

  get total(): number {
    return [...this.#hits().values()].reduce((sum, count) => sum + count, 0);
  }

  /** One line for each role. */
  report(): string[] {
    const hits = this.#hits();
    return (Object.keys(POINTS) as Role[]).map(
      (role) => `  ${role}: ${POINTS[role].map((name) => `${name} ${hits.get(`${role}:${name}`) ?? 0}`).join(', ')}`,
    );
  }

  /** What processes wrote down just before they were killed. */
  #hits(): Map<string, number> {
    const hits = new Map<string, number>();
    if (!existsSync(this.file)) return hits;
    for (const name of readFileSync(this.file, 'utf8').split('\n').slice(0, -1))
      hits.set(name, (hits.get(name) ?? 0) + 1);
    return hits;
  }
}
