/** Whether a port is free: secret-stack says that it listens even where it does not. */
import { createServer } from 'node:net';
import { SsblogError, systemCode } from '../errors.ts';

/** @returns SsblogError `port` when it cannot be listened on, else undefined */
export async function portProblem(port: number, host: string | undefined): Promise<SsblogError | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host, exclusive: true }, resolve);
    });
  } catch (error) {
    const code = systemCode(error);
    const where = host === undefined ? `port ${port}` : `${host}:${port}`;
    if (code === 'EADDRINUSE') {
      return new SsblogError('port', `${where} is in use by another program`, {
        hint: 'choose another one: --port, or "port" in config.json',
        cause: error,
      });
    }
    return new SsblogError('port', `cannot listen on ${where}: ${(error as Error).message}`, {
      hint: 'choose another one: --port and --host, or "port" and "host" in config.json',
      cause: error,
    });
  }
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return undefined;
}
