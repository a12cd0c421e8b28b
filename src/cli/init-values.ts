/** What the verbs that make a machine take from flags and environment. */
import { hostname } from 'node:os';
import { CONFIG_KEYS, type ConfigKey, environmentName } from '../config/keys.ts';
import type { Invocation } from './context.ts';

export function givenValues({ context, flags }: Invocation): Partial<Record<ConfigKey, string>> {
  const values: Partial<Record<ConfigKey, string>> = {};
  for (const key of CONFIG_KEYS) {
    const value = flags[key] ?? context.environment[environmentName(key)];
    if (value !== undefined) values[key] = value;
  }
  return values;
}

export function defaultName(): string {
  return hostname().split('.')[0] || 'machine';
}
