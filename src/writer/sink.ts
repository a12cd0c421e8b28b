/** Where contents go to become messages: the daemon, or a peer in this process. */
import type { Content } from '../message/content.ts';

export interface Sink {
  /** Resolves when the contents are durable. */
  write(contents: readonly Content[]): Promise<void>;
  close(): Promise<void>;
}
