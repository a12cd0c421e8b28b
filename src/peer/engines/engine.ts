/**
 * What keeps the feeds. Everything above this seam is the same for every engine; a new one is a file
 * beside this and a line in `engineFor`.
 */
import type { EngineName } from '../../config/keys.ts';
import type { Content } from '../../message/content.ts';
import type { Store } from '../../store/store.ts';
import type { SsbPeer, StackBuilder } from '../ssb/types.ts';

export interface Engine {
  readonly name: EngineName;
  /** The file that is the record. */
  readonly record: string;
  /**
   * Opens the store as what it is to the engine: its record, or a mirror that can be made anew.
   * @throws SsblogError `store`
   */
  openStore(notice: EngineContext['notice']): Store;
  /** A secret-stack with this engine's database plugin; the plugins that need a database come after it. */
  stack(store: Store): StackBuilder;
  /** Binds the engine to its peer. Resolves when the store holds everything that the record holds. */
  open(context: EngineContext): Promise<Feeds>;
}

export interface EngineContext {
  readonly peer: SsbPeer;
  readonly store: Store;
  /** One line for whoever runs the daemon. */
  readonly notice: (text: string) => void;
  /** Called once, when the engine cannot go on; the process must then end. */
  readonly fatal: (error: unknown) => void;
}

/** `….box`: encrypted for some machines. */
export type PrivateContent = string;

/** Messages that have their places in the feed. */
export interface Placed {
  /** Resolves when they are durable and readable in the store; rejects for them and all that have places after them. */
  readonly durable: Promise<void>;
}

export interface Feeds {
  /**
   * Makes contents this machine's next messages, in their order and before it returns. Rejects when one of them cannot be
   * a message.
   */
  publish(contents: readonly (Content | PrivateContent)[]): Promise<Placed>;
  close(): Promise<void>;
}
