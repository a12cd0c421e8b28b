/**
 * The side that was invited: whenever it is connected with a machine whose invite it has, over whatever way, it
 * redeems it. The secret goes to no one else: the handshake has proved the other side's key, which came with the code.
 */
import { SsblogError } from '../../errors.ts';
import { remoteErrorCode } from '../api.ts';
import type { JoinResult } from '../control.ts';
import { promised } from '../pull.ts';
import type { RemotePeer, SsbPeer } from '../ssb/types.ts';
import type { JoinCode } from './code.ts';
import type { PendingInvites } from './pending.ts';

/** How long `join` waits for the other machine; it goes on in the background. */
const ANSWER_MS = 8_000;
/** After this long the next address is tried as well. */
const NEXT_ADDRESS_MS = 300;
/** When no address answers, the other machine may still come by another way. */
const AFTER_FAILURE_MS = 1_500;
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;

/** How texts of errors of secret-handshake begin, on the side that dials. */
const HANDSHAKE_FAILED = 'shs.client';

/** Asking again would not help. */
const FINAL_CODES: ReadonlySet<string> = new Set(['invite-unknown', 'invite-used', 'invite-expired']);

export interface JoiningOptions {
  readonly peer: SsbPeer;
  readonly pending: PendingInvites;
  /** This machine's name. */
  readonly name: string;
  readonly follow: (id: string) => Promise<void>;
  /** Remembers addresses, to be dialled for ever. */
  readonly remember: (addresses: readonly string[]) => Promise<void>;
  readonly dials: boolean;
  readonly notice: (text: string) => void;
}

export class Joining {
  readonly #options: JoiningOptions;
  readonly #settled = new Map<string, Set<() => void>>();
  /** Machines that are being asked: two connections with one must not both ask. */
  readonly #asking = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Machines at whose addresses the handshake was refused: the network key is another one there, or the machine is. */
  readonly #refusing = new Set<string>();
  #isClosed = false;

  constructor(options: JoiningOptions) {
    this.#options = options;
    options.peer.on('rpc:connect', (remote) => this.#redeem(remote, FIRST_RETRY_MS));
  }

  /** What a killed process left to do. */
  async resume(): Promise<void> {
    const { pending, follow, peer } = this.#options;
    for (const { id, failure } of pending.waiting()) if (failure === null) await follow(id);
    for (const remote of Object.values(peer.peers).flat()) this.#redeem(remote, FIRST_RETRY_MS);
  }

  /**
   * Keeps the invite until it is redeemed, and waits a few seconds for that.
   * @throws SsblogError what the other machine said when it refused the invite
   */
  async join({ id, name, secret, addresses }: JoinCode, now: number): Promise<JoinResult> {
    const { pending, follow, remember, peer, dials } = this.#options;
    pending.add({ id, name, secret: secret.toString('base64'), sinceMs: now });
    // From now on, for the machine may be connected already, and answer at once.
    const settled = new Promise<void>((resolve) => {
      const waiting = this.#settled.get(id) ?? new Set();
      this.#settled.set(id, waiting.add(resolve));
      this.#later(ANSWER_MS, resolve);
    });
    this.#refusing.delete(id);
    const full = addresses.map((address) => `${address}~shs:${id.slice(1, -'.ed25519'.length)}`);
    await remember(full);
    await follow(id);
    const connected = (peer.peers[id] ?? []).filter(({ closed }) => !closed);
    for (const remote of connected) this.#redeem(remote, FIRST_RETRY_MS);
    if (connected.length === 0 && dials) this.#dial(id, full);
    if (dials || connected.length > 0) await settled;
    const left = pending.waiting().find((other) => other.id === id);
    const failure = left?.failure;
    if (failure)
      throw new SsblogError(failure.code as 'invite-used', failure.message, { hint: HINTS[failure.code] ?? '' });
    const isConnected = peer.peers[id]?.some(({ closed }) => !closed) ?? false;
    return { id, name, joined: left === undefined, connected: isConnected, refused: this.#refusing.has(id) };
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const id of [...this.#settled.keys()]) this.#settle(id);
  }

  /** One after the other, without waiting for those that do not answer. Where all refuse, waiting is of little use. */
  #dial(id: string, addresses: readonly string[]): void {
    let failures = 0;
    const failed = () => {
      failures += 1;
      if (failures === addresses.length) this.#later(AFTER_FAILURE_MS, () => this.#settle(id));
    };
    if (addresses.length > 0) this.#dialEach(id, addresses, failed);
  }

  #dialEach(id: string, [address, ...others]: readonly string[], failed: () => void): void {
    if (address === undefined || this.#isClosed || this.#options.pending.open(id) === undefined) return;
    if (this.#options.peer.peers[id]?.some(({ closed }) => !closed)) return;
    // Why one address cannot be reached helps nobody, that none can is what `join` says; but who refuses is there.
    this.#options.peer.conn.connect(address, (error) => {
      if (error?.message.startsWith(HANDSHAKE_FAILED)) this.#refusing.add(id);
      if (error) failed();
    });
    this.#later(NEXT_ADDRESS_MS, () => this.#dialEach(id, others, failed));
  }

  #redeem(remote: RemotePeer, retryMs: number): void {
    const invite = this.#options.pending.open(remote.id);
    if (invite === undefined || remote.closed || this.#isClosed || this.#asking.has(remote.id)) return;
    this.#asking.add(remote.id);
    this.#ask(remote, invite.secret)
      .catch((error: Error) => this.#options.notice(`joining ${invite.name}: ${error.message}`))
      .finally(() => {
        this.#asking.delete(remote.id);
        // Refused for now, or another connection has taken this one's place.
        for (const other of this.#options.peer.peers[remote.id] ?? []) {
          if (other !== remote) this.#redeem(other, FIRST_RETRY_MS);
        }
        this.#later(retryMs, () => this.#redeem(remote, Math.min(retryMs * 2, LONGEST_RETRY_MS)));
      });
  }

  async #ask(remote: RemotePeer, secret: string): Promise<void> {
    const { pending, name, follow } = this.#options;
    const inviter = pending.open(remote.id)?.name;
    try {
      await promised<unknown>((callback) => remote.ssblog.redeem({ secret, name }, callback));
    } catch (error) {
      const code = remoteErrorCode(error);
      if (code === undefined || !FINAL_CODES.has(code)) return; // the connection ended, or it cannot do it now
      const message = `${inviter} refused: ${(error as Error).message}`;
      pending.failed(remote.id, { code, message });
      this.#tell(remote.id, message);
      this.#settle(remote.id);
      return;
    }
    await follow(remote.id);
    pending.redeemed(remote.id);
    this.#tell(remote.id, `joined: ${inviter} and this machine follow each other`);
    this.#settle(remote.id);
  }

  /** Unless somebody waits for it, and tells it. */
  #tell(id: string, text: string): void {
    if (!this.#settled.has(id)) this.#options.notice(text);
  }

  #settle(id: string): void {
    for (const resolve of this.#settled.get(id) ?? []) resolve();
    this.#settled.delete(id);
  }

  #later(ms: number, work: () => void): void {
    if (this.#isClosed) {
      work();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}

const HINTS: Readonly<Record<string, string>> = {
  'invite-unknown': 'ask for a new join code: ssblog invite',
  'invite-used': 'ask for a new join code, for more machines: ssblog invite --uses N',
  'invite-expired': 'ask for a new join code: ssblog invite',
};
