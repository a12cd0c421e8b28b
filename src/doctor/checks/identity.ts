/** Whether the secret can be read, and is the one whose feed the store holds. */
import { type Finding, isOpen, type Machine } from '../finding.ts';

export function checkIdentity({ identity, store, paths }: Machine): Finding[] {
  if (!isOpen(identity)) {
    const hint = identity.hint ?? 'restore it from a backup';
    return [{ code: 'secret', severity: 'error', message: identity.message, hint }];
  }
  if (!isOpen(store)) return [];
  const own = store.clock().get(identity.id) ?? 0;
  // Every peer publishes its name before anything of others can come in.
  if (own > 0 || store.messageCount() === 0) return [];
  return [
    {
      code: 'secret-other',
      severity: 'error',
      message: `${paths.secret} has the id ${identity.id}, of which the store holds no message: it is another machine's`,
      hint: 'put the secret back that belongs to this store, or give this secret a directory of its own',
    },
  ];
}
