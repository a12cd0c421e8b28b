/**
 * Modules that ssb-server brings with it. They are taken from there, not from the top of node_modules, where another
 * plugin may have put another version.
 */
import { createRequire } from 'node:module';
import type { StackBuilder } from './types.ts';

type Wrapped<F> = (call: F, ...specs: (string | readonly string[])[]) => F;

/** ssb-db's checks of arguments: a wrong one is answered with an error, in ssb-db's words. */
export interface ArgumentChecks {
  // biome-ignore lint/suspicious/noExplicitAny: any function can be wrapped.
  readonly async: Wrapped<(...args: any[]) => void>;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly source: Wrapped<(...args: any[]) => unknown>;
}

/** What a module would get by `require`. */
export function requireOf(module: string, from = createRequire(import.meta.url)): NodeJS.Require {
  return createRequire(from.resolve(module));
}

/** A secret-stack without plugins. */
export function createStack(): StackBuilder {
  const secretStack = requireOf('ssb-server')('secret-stack') as (config: object) => StackBuilder;
  return secretStack({});
}

export function argumentChecks(): ArgumentChecks {
  return requireOf('ssb-db', requireOf('ssb-server'))('./lib/validators') as ArgumentChecks;
}
