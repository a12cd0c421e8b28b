/** What is used of epidemic-broadcast-trees 7, whose state is plain objects. */

/** Sequence by feed; -1: the peer does not replicate the feed. */
type Clock = Record<string, number>;

export interface EbtPeerState {
  /** null until it is known what the peer has. */
  readonly clock: Clock | null;
  /** What is still to be told the peer: encoded notes by feed. */
  notes: Record<string, number> | null;
  /** null until the peer's first notes have come. */
  readonly replicating: Record<string, { tx: boolean; rx: boolean; sent: number | null; requested: number }> | null;
  /** Messages that are still to be sent to it. */
  readonly msgs: { readonly author: string; readonly sequence: number }[];
  /** Feeds whose message after the last that was sent is to be read for it. */
  readonly retrive: string[];
}

export interface EbtStream {
  readonly ended: boolean;
  /** Whether there is something to send, and the other side takes it. */
  canSend(): boolean;
  write(data: unknown): void;
  end(error?: Error): void;
  abort(error?: Error): void;
}

export interface EbtInstance {
  request(feed: string, follows?: boolean): void;
  createStream(peer: string, version: number, isClient: boolean): EbtStream;
  /** Sends what there is to be sent. */
  update(): void;
  readonly state: {
    readonly clock: Clock | null;
    readonly follows: Record<string, boolean>;
    /** By author, then by whom the author blocks. */
    readonly blocks: Record<string, Record<string, boolean>>;
    readonly peers: Record<string, EbtPeerState>;
  };
}

export interface EbtOptions {
  readonly id: string;
  readonly getClock: (peer: string, callback: (error: null, clock: Clock) => void) => void;
  readonly append: (value: unknown, callback: (error: Error | null, message?: unknown) => void) => void;
  /** Reads a message for a peer. */
  readonly getAt: (
    pair: { readonly id: string; readonly sequence: number },
    callback: (error: Error | null, value?: unknown) => void,
  ) => void;
  readonly setClock: (peer: string, clock: Clock) => void;
}
