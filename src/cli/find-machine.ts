/** From what a user types to a machine, of those that are known here and those that knocked. */
import { SsblogError } from '../errors.ts';
import type { Control } from '../peer/control.ts';
import type { MachineAccess } from '../peer/open-control.ts';
import { parseId } from './machine-names.ts';
import { openReader } from './reader.ts';

/** Shorter beginnings of ids are too easily another machine's. */
const MIN_PREFIX = 4;

interface Found {
  readonly id: string;
  readonly name: string | undefined;
}

/**
 * @param text an id, its beginning, or a name
 * @throws SsblogError `unknown-machine` when nobody, or more than one, is meant
 */
export async function findMachine(access: MachineAccess, control: Control, text: string): Promise<Found> {
  const names = await knownNames(access, control);
  if (text.endsWith('.ed25519')) return { id: parseId(text), name: names.get(text) };
  const named = [...names].filter(([, name]) => name === text).map(([id]) => id);
  const start = text.startsWith('@') ? text : `@${text}`;
  const begun = start.length > MIN_PREFIX ? [...names.keys()].filter((id) => id.startsWith(start)) : [];
  const ids = named.length > 0 ? named : begun;
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return { id, name: names.get(id) };
  throw new SsblogError(
    'unknown-machine',
    ids.length > 1 ? `"${text}" can be ${ids.length} machines` : `no machine is named "${text}"`,
    {
      hint: ids.length > 1 ? `use the id: ${ids.join(' or ')}` : 'see: ssblog machines, and ssblog machines --pending',
    },
  );
}

async function knownNames(access: MachineAccess, control: Control): Promise<Map<string, string | undefined>> {
  const { knocks, waiting } = await control.status();
  const store = await openReader(access);
  try {
    const names = new Map<string, string | undefined>();
    for (const { id } of store.feeds()) names.set(id, undefined);
    for (const { to } of store.contacts()) names.set(to, undefined);
    for (const { id, name } of [...knocks, ...waiting]) names.set(id, name ?? undefined);
    for (const [id, name] of store.names(access.identity.id)) names.set(id, name);
    return names;
  } finally {
    store.close();
  }
}
