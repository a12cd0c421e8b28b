/** How a machine is called in a finding. */
import { escapeText } from '../assemble/escape-controls.ts';
import { isOpen, type Machine } from './finding.ts';

/** @returns its name, where it has one, and its id */
export function nameOf({ store, identity }: Machine, id: string): string {
  if (!isOpen(store) || !isOpen(identity)) return id;
  const name = store.names(identity.id).get(id);
  return name === undefined ? id : `${escapeText(name)} (${id})`;
}
