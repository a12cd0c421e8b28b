/** The command's side of the daemon's socket, through ssb-client. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { Identity } from '../config/identity.ts';
import type { Config } from '../config/keys.ts';
import type { MachinePaths } from '../config/paths.ts';
import { type ErrorCode, SsblogError } from '../errors.ts';
import type { Content } from '../message/content.ts';
import { API_MANIFEST, API_NAME, remoteErrorCode } from './api.ts';
import {
  type Control,
  dialResultSchema,
  invitationSchema,
  joinResultSchema,
  openInvitesSchema,
  peerStatusSchema,
} from './control.ts';
import { promised } from './pull.ts';
import { rekeyResultSchema } from './rekey/options.ts';
import { secureSocketDirectory, socketPath } from './socket.ts';
import type { Callback } from './ssb/types.ts';

/** A daemon that answers nothing for this long hangs. Longer than any of its answers takes. */
const ANSWER_MS = 15_000;

/** The slice of an ssb-client connection that is used here. */
interface Rpc {
  readonly [API_NAME]: {
    write(contents: readonly Content[], callback: Callback<unknown>): void;
    connect(address: string, callback: Callback<unknown>): void;
    status(callback: Callback<unknown>): void;
    invite(options: object, callback: Callback<unknown>): void;
    invites(callback: Callback<unknown>): void;
    revokeInvite(id: string, callback: Callback<unknown>): void;
    join(code: string, callback: Callback<unknown>): void;
    rekey(options: object, callback: Callback<unknown>): void;
    stop(callback: Callback<unknown>): void;
  };
  close(abort: true, callback: Callback): void;
}

/** @returns undefined when nothing answers on the machine's socket */
export async function connectDaemon(
  config: Config,
  identity: Identity,
  paths: MachinePaths,
): Promise<Control | undefined> {
  if (!existsSync(socketPath(paths))) return undefined;
  secureSocketDirectory(paths);
  const { default: connect } = await import('ssb-client/client.js');
  let rpc: Rpc;
  try {
    rpc = (await promised<unknown>((callback) =>
      withoutLitter(() =>
        connect(
          {
            keys: { ...identity },
            remote: `unix:${socketPath(paths)}~noauth:${identity.public.replace('.ed25519', '')}`,
            manifest: { [API_NAME]: API_MANIFEST },
            config: { caps: { shs: config.networkKey } },
          },
          callback,
        ),
      ),
    )) as Rpc;
  } catch {
    return undefined; // a socket that nobody listens on: its daemon was killed
  }
  return controlOver(rpc);
}

/**
 * ssb-client makes, at once, a temporary directory for a socket of its own that it never opens, and leaves it there:
 * one for each command. Here it is made where it can be found and removed.
 */
function withoutLitter(work: () => void): void {
  const before = process.env.TMPDIR;
  const scratch = mkdtempSync(join(tmpdir(), 'ssblog-'));
  process.env.TMPDIR = scratch;
  try {
    work();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function withinDeadline(answer: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const hint = 'end its process and start it again; see also: ssblog doctor';
      reject(new SsblogError('peer', `the daemon did not answer for ${ANSWER_MS / 1000} s`, { hint }));
    }, ANSWER_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function controlOver(rpc: Rpc): Control {
  const api = rpc[API_NAME];
  const call = async (run: (callback: Callback<unknown>) => void): Promise<unknown> => {
    try {
      return await withinDeadline(promised(run));
    } catch (error) {
      if (error instanceof SsblogError) throw error;
      // An error without a code of ours comes from the connection itself.
      const code = (remoteErrorCode(error) ?? 'lost') as ErrorCode;
      const message = (error as Error).message;
      throw new SsblogError(code, code === 'lost' ? `the daemon went away (${message})` : message, { cause: error });
    }
  };
  return {
    isDaemon: true,
    async write(contents) {
      await call((callback) => api.write(contents, callback));
    },
    connect: async (address) => dialResultSchema.parse(await call((callback) => api.connect(address, callback))),
    status: async () => peerStatusSchema.parse(await call((callback) => api.status(callback))),
    invite: async (options) => invitationSchema.parse(await call((callback) => api.invite(options, callback))),
    invites: async () => openInvitesSchema.parse(await call((callback) => api.invites(callback))),
    revokeInvite: async (id) => z.boolean().parse(await call((callback) => api.revokeInvite(id, callback))),
    join: async (code) => joinResultSchema.parse(await call((callback) => api.join(code, callback))),
    rekey: async (options) => rekeyResultSchema.parse(await call((callback) => api.rekey(options, callback))),
    async stop() {
      await call((callback) => api.stop(callback));
    },
    async close() {
      await promised<unknown>((callback) => rpc.close(true, () => callback(null)));
    },
  };
}
