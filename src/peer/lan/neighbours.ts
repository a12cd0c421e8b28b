/**
 * Whom this machine has heard on the LAN, and who of them has proved to be there now. Knows no sockets.
 *
 * A packet that somebody recorded, here or elsewhere, must not make this machine dial: the dial would tell that it
 * belongs to the network. Clocks of machines may be wrong by hours, so times prove nothing. Instead each machine says a
 * random token, which it changes every few minutes and whenever it comes into another network, and repeats the tokens
 * that it hears. Who repeats this machine's token has heard it of late, in this network. The token stands in the sealed
 * part of packets that go out at their own pace, whatever was heard: nobody learns from the outside that one was.
 */
import { type Announcement, MAX_ECHOES } from './packet.ts';

/** Whoever has not been heard for so long is not there any more. */
const FORGET_MS = 15_000;
const TOKEN_LIFE_MS = 300_000;
/** After a change, packets that were made just before still count. */
const OLD_TOKEN_LIFE_MS = 10_000;
const MAX_NEIGHBOURS = 1_024;
const MAX_ADDRESSES = 8;

export interface Neighbour {
  readonly id: string;
  /** Multiserver addresses, the one heard last first. */
  readonly addresses: readonly string[];
  /** Since when it is there: milliseconds since the epoch. */
  readonly sinceMs: number;
}

interface Heard {
  token: string;
  number: number;
  atMs: number;
  /** 0: has not proved that it is there. */
  provenMs: number;
  sinceMs: number;
  readonly addresses: Map<string, number>;
}

export interface NeighboursOptions {
  /** This machine's id. */
  readonly self: string;
  readonly now: () => number;
  readonly newToken: () => string;
}

export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #heard = new Map<string, Heard>();
  #token: string;
  #tokenMs: number;
  #oldToken: string | undefined;
  #number = 0;
  #nextEcho = 0;

  constructor(options: NeighboursOptions) {
    this.#options = options;
    this.#token = options.newToken();
    this.#tokenMs = options.now();
  }

  /** What this machine says next, but for where it is. */
  next(): Pick<Announcement, 'id' | 'token' | 'number' | 'echoes'> {
    const now = this.#options.now();
    this.#forget(now);
    if (Math.abs(now - this.#tokenMs) > TOKEN_LIFE_MS) this.#changeToken(this.#token);
    this.#number += 1;
    return { id: this.#options.self, token: this.#token, number: this.#number, echoes: this.#echoes() };
  }

  /** Call in another network: what was proved in the one before is nothing here. */
  moved(): void {
    this.#heard.clear();
    this.#changeToken(undefined);
  }

  /**
   * @param address multiserver address, of where the packet came from
   * @returns the address when a machine has just been found there
   */
  hear(said: Announcement, address: string): string | undefined {
    if (said.id === this.#options.self) return undefined;
    const now = this.#options.now();
    this.#forget(now);
    const heard = this.#heard.get(said.id) ?? this.#admit(said.id);
    if (heard === undefined || (heard.token === said.token && said.number <= heard.number)) return undefined;
    Object.assign(heard, { token: said.token, number: said.number, atMs: now });
    if (!this.#isProof(said.echoes, now)) return undefined;
    if (heard.provenMs === 0) heard.sinceMs = now;
    heard.provenMs = now;
    const isNew = !heard.addresses.has(address);
    heard.addresses.delete(address);
    heard.addresses.set(address, now);
    const [oldest] = heard.addresses.keys();
    if (heard.addresses.size > MAX_ADDRESSES && oldest !== undefined) heard.addresses.delete(oldest);
    return isNew ? address : undefined;
  }

  /** Who is there now. */
  list(): Neighbour[] {
    const now = this.#options.now();
    this.#forget(now);
    return [...this.#heard]
      .filter(([, { provenMs, addresses }]) => Math.abs(now - provenMs) <= FORGET_MS && addresses.size > 0)
      .map(([id, { addresses, sinceMs }]) => ({ id, addresses: [...addresses.keys()].reverse(), sinceMs }));
  }

  #isProof(echoes: readonly string[], now: number): boolean {
    if (echoes.includes(this.#token)) return true;
    const isOldGood = Math.abs(now - this.#tokenMs) < OLD_TOKEN_LIFE_MS;
    return isOldGood && this.#oldToken !== undefined && echoes.includes(this.#oldToken);
  }

  #changeToken(old: string | undefined): void {
    this.#oldToken = old;
    this.#token = this.#options.newToken();
    this.#tokenMs = this.#options.now();
    this.#number = 0;
  }

  /** Where more were heard than fit, they take turns. */
  #echoes(): string[] {
    const tokens = [...this.#heard.values()].map(({ token }) => token);
    if (tokens.length <= MAX_ECHOES) return tokens;
    const first = this.#nextEcho % tokens.length;
    this.#nextEcho = first + MAX_ECHOES;
    return [...tokens.slice(first), ...tokens.slice(0, first)].slice(0, MAX_ECHOES);
  }

  /** Only who has the network key gets here, so a full table is an attack from within: who is there stays. */
  #admit(id: string): Heard | undefined {
    if (this.#heard.size >= MAX_NEIGHBOURS) return undefined;
    const heard: Heard = { token: '', number: 0, atMs: 0, provenMs: 0, sinceMs: 0, addresses: new Map() };
    this.#heard.set(id, heard);
    return heard;
  }

  #forget(now: number): void {
    const isLong = (sinceMs: number) => Math.abs(now - sinceMs) > FORGET_MS;
    for (const [id, { atMs, addresses }] of this.#heard) {
      if (isLong(atMs)) this.#heard.delete(id);
      for (const [address, heardMs] of addresses) if (isLong(heardMs)) addresses.delete(address);
    }
  }
}
