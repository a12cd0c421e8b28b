/**
 * Changes the network key, and follows others that change it. Whoever makes a new key announces it to the machines that
 * it follows; these take it over and pass it on to those that they follow. The key before it is accepted for a while,
 * from machines within the hops: that is how the announcement reaches those that are away now.
 *
 * Believed is who is followed here. What a machine that was blocked says does not count, and whom the maker of a key
 * blocks is shut out: nobody who has the new key gives it to that machine, or meets it under the old one.
 */
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as z from 'zod';
import type { Identity } from '../../config/identity.ts';
import type { MachinePaths } from '../../config/paths.ts';
import { SsblogError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import type { FollowGraph } from '../follow-graph.ts';
import type { RemotePeer, SsbPeer } from '../ssb/types.ts';
import { type Announcement, checkShutOut, isLater, openAnnouncement, sealAnnouncement } from './announcement.ts';
import { networkKeyOf } from './handshake.ts';
import type { Keyring } from './keyring.ts';
import type { RekeyOptions, RekeyResult } from './options.ts';
import { adoptKey, type RekeyState, writeRekey } from './state-file.ts';

const KEY_BYTES = 32;
const MAX_OLD_KEYS = 8;
/** A clock that is further ahead would have the last word for ever. */
const MAX_AHEAD_MS = 86_400_000;
/** How often old keys are looked at, and what failed is tried again. */
const TICK_MS = 1_000;
/** Messages of a feed that are looked through without a pause. */
const SCAN_MESSAGES = 10_000;
/** In the store: how far feeds were looked through. */
const SEEN_META = 'rekey-seen';
const SAVE_SEEN_MS = 300_000;

export interface RekeyingOptions {
  readonly peer: SsbPeer;
  readonly identity: Identity;
  readonly paths: MachinePaths;
  readonly store: Store;
  readonly graph: FollowGraph;
  readonly keyring: Keyring;
  readonly state: RekeyState;
  /** Publishes contents on the own feed. @throws SsblogError `held` when that must not be written */
  readonly publish: (contents: readonly string[]) => Promise<void>;
  readonly nameOf: (id: string) => string;
  readonly notice: (text: string) => void;
  readonly now?: () => number;
}

export class Rekeying {
  readonly #options: RekeyingOptions;
  readonly #now: () => number;
  #state: RekeyState;
  /** What could not be taken over yet. */
  #waiting: Announcement | undefined;
  #telling: Promise<void> = Promise.resolve();
  /** Why the key could not be announced; said once, though that is tried again. */
  #failure: string | undefined;
  /** How far feeds were looked through by the processes before. */
  readonly #seen: Map<string, number>;
  /** Feeds that this process has looked through: what comes later is looked at as it comes. */
  readonly #scanned = new Set<string>();
  #savedMs: number;
  #scanning: Promise<void> = Promise.resolve();
  #isClosed = false;
  readonly #closers: (() => void)[] = [];

  constructor(options: RekeyingOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#state = options.state;
    this.#seen = readSeen(options.store);
    this.#savedMs = this.#now();
    const { peer, graph } = options;
    this.#closers.push(
      peer.post(({ value }) => this.#look(value.author, value.content), false),
      graph.onChange(() => this.#graphChanged()),
    );
    peer.on('rpc:connect', (remote) => this.#connected(remote));
    const timer = setInterval(() => this.#tick(), TICK_MS);
    timer.unref();
    this.#closers.push(() => clearInterval(timer));
    this.#graphChanged();
  }

  /** What is under way ends first: the store is needed for it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const close of this.#closers) close();
    await this.#scanning;
    await this.#telling;
    this.#saveSeen();
  }

  async rekey(wanted: RekeyOptions): Promise<RekeyResult> {
    await this.#options.publish([]); // refuses before anything is changed
    if ('end' in wanted) this.#endGrace(this.#now());
    else this.#makeKey(wanted.graceMs);
    await this.#tell();
    this.#hangUp();
    const { at, until, told, shutOut } = this.#state;
    return {
      changedMs: at,
      untilMs: until,
      told: told.filter((id) => id !== this.#options.identity.id).length,
      shutOut: [...shutOut],
    };
  }

  #makeKey(graceMs: number): void {
    const now = this.#now();
    const at = Math.max(now, this.#state.at + 1);
    const shutOut = checkShutOut(this.#shutOut());
    const key = randomBytes(KEY_BYTES).toString('base64');
    this.#adopt({
      type: 'ssblog-rekey',
      key,
      at,
      until: now + graceMs,
      origin: this.#options.identity.id,
      shutOut,
    });
  }

  #endGrace(until: number): void {
    if (this.#state.origin === '') {
      throw new SsblogError('usage', 'the network key was never changed here', {
        hint: 'change it with: ssblog rekey',
      });
    }
    const old = this.#state.old.map(({ key, untilMs }) => ({ key, untilMs: Math.min(untilMs, until) }));
    const state = { ...this.#state, old, until: Math.min(this.#state.until, until), told: [], isEnding: true };
    writeRekey(this.#options.paths, state);
    this.#use(state);
  }

  #look(author: string, content: unknown): void {
    const { graph, identity } = this.#options;
    if (typeof content !== 'string' || author === identity.id || !graph.isFollowed(author)) return;
    const announcement = openAnnouncement(content, identity);
    if (announcement !== undefined && this.#isBelieved(author, announcement)) this.#consider(announcement);
  }

  #isBelieved(author: string, { origin, shutOut, at }: Announcement): boolean {
    const { graph, identity, nameOf, notice } = this.#options;
    if ([author, origin].some((id) => graph.isBlocked(id) || this.#state.shutOut.includes(id))) return false;
    if (shutOut.includes(identity.id)) return false;
    if (at <= this.#now() + MAX_AHEAD_MS) return true;
    notice(`${nameOf(author)} announced a network key of the future: it is not taken over`);
    return false;
  }

  #consider(announcement: Announcement): void {
    const { at, key, origin, until } = announcement;
    try {
      if (key === this.#state.key) {
        if (this.#state.at === at && until < this.#state.until) {
          this.#endGrace(until);
          this.#options.notice('the old network key is not accepted any more');
          this.#passOn();
        }
        return;
      }
      if (this.#state.old.some((old) => old.key === key) || !isLater(announcement, this.#state)) return;
      this.#adopt(announcement);
      this.#options.notice(
        `the network key was changed by ${this.#options.nameOf(origin)}; the old one is accepted until ${new Date(until).toISOString()}`,
      );
      this.#passOn();
    } catch (error) {
      // Once, though it is tried again and again.
      if (this.#waiting === undefined)
        this.#options.notice(`the new network key cannot be taken over yet: ${(error as Error).message}`);
      this.#waiting = announcement;
    }
  }

  /** Both files are on the disk before anybody is met with it. */
  #adopt({ key, at, until, origin, shutOut }: Announcement): void {
    const now = this.#now();
    const old = [{ key: this.#state.key, untilMs: until }, ...this.#state.old];
    const state: RekeyState = {
      key,
      at,
      until,
      origin,
      shutOut: [...new Set([...this.#shutOut(), ...shutOut])],
      old: old.filter(({ untilMs }) => untilMs > now).slice(0, MAX_OLD_KEYS),
      told: [origin],
      isEnding: false,
      confirmed: {},
    };
    adoptKey(this.#options.paths, state);
    this.#use(state);
    this.#waiting = undefined;
  }

  /** Who must not get the next key, as far as this machine knows. */
  #shutOut(): string[] {
    const blocked = this.#options.graph.ownContacts().filter(({ blocking }) => blocking);
    return [...this.#state.shutOut, ...blocked.map(({ to }) => to)];
  }

  #use(state: RekeyState): void {
    this.#state = state;
    this.#options.keyring.set(state.key, state.old);
  }

  /** Then those that have not changed yet are let in again under the old key, and the others under the new one. */
  #passOn(): void {
    void this.#tellInBackground().then(() => this.#hangUp(true));
  }

  /** Tells those who were not told. One after the other: nobody is told twice. */
  #tell(): Promise<void> {
    const telling = this.#telling.then(() => this.#announce());
    this.#telling = telling.catch(() => undefined); // whoever called hears it
    return telling;
  }

  async #tellInBackground(): Promise<void> {
    try {
      await this.#tell();
      this.#failure = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (this.#failure !== message && !this.#isClosed)
        this.#options.notice(`the new network key cannot be announced yet: ${message}`);
      this.#failure = message;
    }
  }

  async #announce(): Promise<void> {
    const state = this.#state;
    const recipients = this.#recipients();
    if (recipients.length === 0) return;
    const { key, at, until, origin } = state;
    if (origin === '') return;
    const shutOut = checkShutOut(state.shutOut);
    const announcement = { type: 'ssblog-rekey' as const, key, at, until, origin, shutOut };
    await this.#options.publish(sealAnnouncement(announcement, recipients));
    if (this.#state.key !== key || this.#state.until !== until) return;
    const told = [...new Set([...this.#state.told, ...recipients])];
    this.#state = { ...this.#state, told, isEnding: false };
    writeRekey(this.#options.paths, this.#state);
  }

  /** Machines that are followed and have not been told. */
  #recipients(): string[] {
    const { origin, told, confirmed, shutOut, isEnding } = this.#state;
    const { graph, keyring } = this.#options;
    if (origin === '' || (!isEnding && keyring.accepted().length === 1)) return [];
    const isOut = (id: string) => shutOut.includes(id) || graph.isBlocked(id);
    // Whoever has the key must hear that the old one ends, and nothing else.
    return this.#followed().filter(
      (id) => !isOut(id) && !told.includes(id) && (isEnding || confirmed[id] === undefined),
    );
  }

  #followed(): string[] {
    const { graph, identity } = this.#options;
    return graph.ownContacts().flatMap(({ to, following }) => (to !== identity.id && following ? [to] : []));
  }

  #connected(remote: RemotePeer): void {
    const { id } = remote;
    const { confirmed, key, at } = this.#state;
    if (id === this.#options.peer.id || at === 0 || networkKeyOf(remote) !== key || confirmed[id] !== undefined) return;
    // Whoever has the key was let in by somebody, even if it had been shut out before.
    const shutOut = this.#state.shutOut.filter((other) => other !== id);
    this.#state = { ...this.#state, shutOut, confirmed: { ...confirmed, [id]: this.#now() } };
    try {
      writeRekey(this.#options.paths, this.#state);
    } catch (error) {
      this.#options.notice((error as Error).message); // it will be met again
    }
  }

  /** Connections under keys that do not count any more. @param all also those that may come again under an old one */
  #hangUp(all = false): void {
    const { peer, keyring } = this.#options;
    const accepted = keyring.accepted();
    for (const remote of Object.values(peer.peers).flat()) {
      const used = networkKeyOf(remote);
      if (used === undefined || used === keyring.current || remote.id === peer.id) continue;
      if (all || !accepted.includes(used) || !this.mayUseOld(remote.id)) remote.close(true, () => undefined);
    }
  }

  /** Whether a machine may be met under an old key. */
  mayUseOld(id: string): boolean {
    const { graph } = this.#options;
    return graph.isWithinHops(id) && !graph.isBlocked(id) && !this.#state.shutOut.includes(id);
  }

  #graphChanged(): void {
    this.#scanning = this.#scanning
      .then(() => this.#scanNew())
      .catch((error: Error) => this.#options.notice(`feeds cannot be searched for a network key: ${error.message}`));
    void this.#tellInBackground();
  }

  /** Feeds that are followed since, or that a killed process had not looked through to their ends. */
  async #scanNew(): Promise<void> {
    const { store, graph } = this.#options;
    const ends = store.clock();
    for (const feed of this.#followed()) {
      const end = ends.get(feed) ?? 0;
      let from = this.#scanned.has(feed) ? end : (this.#seen.get(feed) ?? 0);
      if (from > end) from = 0;
      this.#scanned.add(feed);
      for (; from < end && !this.#isClosed && graph.isFollowed(feed); from += SCAN_MESSAGES) {
        for (const content of store.log.boxes(feed, from + 1, from + SCAN_MESSAGES)) this.#look(feed, content);
        await nextTurn();
      }
      if (this.#isClosed && from < end) this.#scanned.delete(feed);
    }
  }

  #tick(): void {
    if (this.#waiting !== undefined) this.#consider(this.#waiting);
    if (this.#failure !== undefined) void this.#tellInBackground();
    if (this.#options.keyring.accepted().length <= this.#state.old.length) this.#hangUp();
    if (this.#now() - this.#savedMs > SAVE_SEEN_MS) this.#saveSeen();
  }

  #saveSeen(): void {
    const { store } = this.#options;
    this.#savedMs = this.#now();
    const ends = store.clock();
    const seen = Object.fromEntries([...this.#scanned].map((feed) => [feed, ends.get(feed) ?? 0]));
    store.setMeta(SEEN_META, JSON.stringify(seen));
  }
}

function readSeen(store: Store): Map<string, number> {
  const kept = z.record(z.string(), z.number()).safeParse(JSON.parse(store.meta(SEEN_META) || '{}'));
  return new Map(Object.entries(kept.success ? kept.data : {}));
}
