/** From what a user types to a machine: an id, or a name that is known here; and what may be a name. */

import { nameSchema } from '../config/schema.ts';
import { SsblogError } from '../errors.ts';
import { feedIdSchema } from '../message/content.ts';

/** @throws SsblogError `usage` when it is no feed id */
export function parseId(text: string): string {
  if (feedIdSchema.safeParse(text).success) return text;
  throw new SsblogError('usage', `"${text}" is not a machine's id`, {
    hint: 'an id looks like @…=.ed25519; print it on that machine with: ssblog whoami',
  });
}

/**
 * @param names feed id → name
 * @throws SsblogError `unknown-machine` when nobody, or more than one, has the name
 */
export function resolveMachine(text: string, names: ReadonlyMap<string, string>): string {
  if (text.startsWith('@')) return parseId(text);
  const ids = [...names].filter(([, name]) => name === text).map(([id]) => id);
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return id;
  throw new SsblogError(
    'unknown-machine',
    ids.length > 1 ? `${ids.length} machines are named "${text}"` : `no machine is named "${text}"`,
    { hint: ids.length > 1 ? `use the id: ${ids.join(' or ')}` : 'see: ssblog machines' },
  );
}

/** @throws SsblogError `usage` when the value of a flag is no name */
export function checkName(flag: string, value: string): string {
  const result = nameSchema.safeParse(value);
  if (result.success) return result.data;
  throw new SsblogError('usage', `${flag} ${result.error.issues[0]?.message ?? 'is wrong'}`);
}
