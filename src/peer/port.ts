/** Whether ports are free: secret-stack says that it listens even where it does not. */
import { createServer } from 'node:net';
import { type Config, flagName } from '../config/keys.ts';
import { SsblogError, systemCode } from '../errors.ts';

type PortKey = 'port' | 'wsPort';

/** @returns SsblogError `port` when one that a daemon needs cannot be listened on, else undefined */
export async function portsProblem(config: Pick<Config, 'host' | 'port' | 'relay' | 'wsPort'>) {
  const keys: readonly PortKey[] = config.relay ? ['port', 'wsPort'] : ['port'];
  for (const key of keys) {
    const problem = await portProblem(config[key], config.host, key);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

async function portProblem(port: number, host: string | undefined, key: PortKey): Promise<SsblogError | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host, exclusive: true }, resolve);
    });
  } catch (error) {
    return listenError(port, host, key, error);
  }
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return undefined;
}

/** @param key the setting that the port comes from */
export function listenError(port: number, host: string | undefined, key: PortKey, cause: unknown): SsblogError {
  const where = host === undefined ? `port ${port}` : `${host}:${port}`;
  if (systemCode(cause) === 'EADDRINUSE') {
    return new SsblogError('port', `${where} is in use by another program`, {
      hint: `choose another one: ${flagName(key)}, or "${key}" in config.json`,
      cause,
    });
  }
  return new SsblogError('port', `cannot listen on ${where}: ${(cause as Error).message}`, {
    hint: `choose another one: ${flagName(key)} and --host, or "${key}" and "host" in config.json`,
    cause,
  });
}
