/** Changes one setting in `config.json`, in one step: the file is never half written. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { SsblogError } from '../errors.ts';
import type { Config, ConfigKey } from './keys.ts';
import type { MachinePaths } from './paths.ts';

/** @throws SsblogError `io` when the disk refuses */
export function changeConfig<K extends ConfigKey>(paths: MachinePaths, key: K, value: NonNullable<Config[K]>): void {
  const beside = `${paths.config}.new`;
  try {
    const config = JSON.parse(readFileSync(paths.config, 'utf8')) as Record<string, unknown>;
    writeFileSync(beside, `${JSON.stringify({ ...config, [key]: value }, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(beside, paths.config);
  } catch (error) {
    throw new SsblogError('io', `cannot change ${paths.config}: ${(error as Error).message}`, {
      hint: `set "${key}" to ${JSON.stringify(value)} in it`,
      cause: error,
    });
  }
}
