/** What ssblog uses of secret-stack, ssb-db and ssb-conn, as they are called in this process. */
import type { SignedMessage } from '../../message/signed.ts';

export type Callback<T = unknown> = (error: Error | null | undefined, value?: T) => void;

/** A pull-stream source: call it to read; see pull-stream's specification. */
export type PullSource<T> = (
  abort: Error | boolean | null,
  callback: (end: Error | boolean | null, data?: T) => void,
) => void;

export interface PullDuplex {
  readonly source: PullSource<unknown>;
  readonly sink: (source: PullSource<unknown>) => void;
}

export interface Hookable<F> {
  hook(wrapper: (this: unknown, original: F, args: unknown[]) => unknown): void;
}

export interface StackBuilder {
  (config: object): SsbPeer;
  use(plugin: unknown): StackBuilder;
  readonly permissions: { anonymous?: { allow?: string[] | null; deny?: string[] | null } };
}

export interface ConnectionRecord {
  readonly key?: string;
}

/** One connection's remote side. */
export interface RemotePeer {
  readonly id: string;
  readonly stream: { readonly address: string };
  /** What the transform says of the connection. */
  readonly meta?: object | undefined;
  createHistoryStream(options: { id: string; seq: number; limit: number; keys: false }): PullSource<unknown>;
  /** Only where ssblog is on the other side as well. */
  readonly ssblog: {
    instance(callback: Callback): void;
    hasTwin(callback: Callback): void;
    redeem(invite: { secret: string; name: string }, callback: Callback): void;
    have(sequence: number, callback: Callback): void;
    knock(who: { name: string }, callback: Callback): void;
  };
  readonly gossip: { ping(options: object, callback: Callback): PullDuplex };
  readonly closed: boolean;
  close(abort: true, callback: Callback): void;
  once(event: 'closed', listener: () => void): void;
  emit(event: 'closed'): void;
}

export interface SsbPeer {
  readonly id: string;
  /** Open connections by the id of their remote side. */
  readonly peers: Readonly<Record<string, RemotePeer[]>>;
  getAddress(scope: 'device' | 'local' | 'public'): string | null;
  getManifest(): object;
  readonly auth: ((id: string, callback: Callback) => void) & Hookable<(id: string, callback: Callback) => void>;
  readonly multiserver: {
    transport(transport: { name: string; create: (options: object) => unknown }): void;
    transform(transform: { name: string; create: () => unknown }): void;
  };
  on(event: 'rpc:connect', listener: (remote: RemotePeer, isClient: boolean) => void): void;
  setMaxListeners(count: number): void;
  /** Dials, past ssb-conn. */
  connect(address: string, callback: Callback): void;
  once(event: 'multiserver:listening', listener: () => void): void;
  close(callback: Callback): void;

  /** A content that is a text is encrypted. */
  readonly publish: ((content: object | string, callback: Callback<SignedMessage>) => void) &
    Hookable<(content: object | string, callback: Callback<SignedMessage>) => void>;
  add(value: object, callback: Callback<SignedMessage>): void;
  /** `sync`: whether the database's views have followed its log to the end. */
  status(): { sync: { sync: boolean } };
  getVectorClock(callback: Callback<Record<string, number>>): void;
  getAtSequence(pair: [id: string, sequence: number], callback: Callback<SignedMessage>): void;
  createUserStream(options: { id: string; gt: number }): PullSource<SignedMessage>;
  /** Observable of every message that was written. @returns a function that stops it */
  post(listener: (message: SignedMessage) => void, immediately?: false): () => void;

  readonly conn: {
    remember(address: string, data?: object): void;
    readonly connect: ((address: string, callback: Callback) => void) &
      Hookable<(address: string, callback: Callback) => void>;
    dbPeers(): [address: string, data: ConnectionRecord][];
    db(): { loaded(): Promise<unknown>; _write(callback: Callback): void };
  };
}
