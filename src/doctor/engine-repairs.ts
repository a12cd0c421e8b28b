/** What mends a store whose messages are not as they must be. */
import { isOpen, type Machine, type RepairName } from './finding.ts';

/** @returns undefined when nobody knows whose store it is: neither is then safe */
export function storeRepair({ config, identity }: Pick<Machine, 'config' | 'identity'>): RepairName | undefined {
  if (!isOpen(config) || !isOpen(identity)) return undefined;
  return config.engine === 'sqlite' ? 'salvage' : 'mirror';
}
