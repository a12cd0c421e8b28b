/**
 * ssblog's own muxrpc methods, under the name `ssblog`. Other machines may call `instance`, `hasTwin`, `redeem`, `knock`
 * and `have`; the others are reached by this machine's own key and through the unix socket only.
 */
import * as z from 'zod';
import { SsblogError } from '../errors.ts';
import { dataBytes } from '../message/block-encodings.ts';
import { type Content, parseContent } from '../message/content.ts';
import { type Control, inviteOptionsSchema } from './control.ts';
import type { Instances } from './instances.ts';
import { rekeyOptionsSchema } from './rekey/options.ts';
import type { Callback } from './ssb/types.ts';

/** More than any client of ours sends in one call. */
const MAX_CONTENTS = 1024;

export const API_NAME = 'ssblog';

export const API_MANIFEST = {
  write: 'async',
  connect: 'async',
  status: 'async',
  invite: 'async',
  invites: 'async',
  revokeInvite: 'async',
  join: 'async',
  rekey: 'async',
  stop: 'async',
  instance: 'async',
  hasTwin: 'async',
  redeem: 'async',
  knock: 'async',
  have: 'async',
} as const;

/** What other machines may ask; `remote` is the id that the handshake proved. */
export interface Doorkeeper {
  redeem(remote: string, invite: unknown): Promise<void>;
  knock(remote: string, who: unknown): void;
  /** How far it has this machine's feed. */
  have(remote: string, sequence: unknown): void;
}

const TEXT_UNITS = 10_000;

const writeSchema = z.array(z.unknown()).max(MAX_CONTENTS);

/** Of an error only name and message cross the wire: the code of an SsblogError travels in the name. */
const ERROR_NAME = /^ssblog\/(.+)$/;

/** @returns the code that a remote error carries, or undefined */
export function remoteErrorCode(error: unknown): string | undefined {
  return ERROR_NAME.exec(String((error as { name?: unknown }).name))?.[1];
}

/**
 * @param control what answers the calls, once it is ready; undefined when the peer is ending
 * @param instances what answers other machines
 */
export function apiPlugin(control: () => Promise<Control & Doorkeeper> | undefined, instances: Instances): unknown {
  const answer = async <T>(callback: Callback<T>, call: (peer: Control & Doorkeeper) => Promise<T>) => {
    try {
      const peer = await control();
      if (peer === undefined) throw new SsblogError('lost', 'the peer is ending');
      callback(null, await call(peer));
    } catch (error) {
      const code = error instanceof SsblogError ? error.code : 'peer';
      callback(Object.assign(new Error((error as Error).message), { name: `ssblog/${code}` }));
    }
  };
  return {
    name: API_NAME,
    version: '1.0.0',
    manifest: API_MANIFEST,
    permissions: {},
    init: () => ({
      write: (contents: unknown, callback: Callback<boolean>) =>
        answer(callback, async (peer) => {
          await peer.write(checkContents(contents));
          return true;
        }),
      connect: (address: unknown, callback: Callback) =>
        answer(callback, (peer) => peer.connect(z.string().max(1000).parse(address))),
      status: (callback: Callback) => answer(callback, (peer) => peer.status()),
      invite: (options: unknown, callback: Callback) =>
        answer(callback, (peer) => peer.invite(inviteOptionsSchema.parse(options))),
      invites: (callback: Callback) => answer(callback, (peer) => peer.invites()),
      revokeInvite: (id: unknown, callback: Callback<boolean>) =>
        answer(callback, (peer) => peer.revokeInvite(z.string().max(TEXT_UNITS).parse(id))),
      join: (code: unknown, callback: Callback) =>
        answer(callback, (peer) => peer.join(z.string().max(TEXT_UNITS).parse(code))),
      redeem(this: { id: string }, invite: unknown, callback: Callback<boolean>) {
        return answer(callback, async (peer) => {
          await peer.redeem(this.id, invite);
          return true;
        });
      },
      knock(this: { id: string }, who: unknown, callback: Callback<boolean>) {
        return answer(callback, async (peer) => {
          peer.knock(this.id, who);
          return true;
        });
      },
      have(this: { id: string }, sequence: unknown, callback: Callback<boolean>) {
        return answer(callback, async (peer) => {
          peer.have(this.id, sequence);
          return true;
        });
      },
      rekey: (options: unknown, callback: Callback) =>
        answer(callback, (peer) => peer.rekey(rekeyOptionsSchema.parse(options))),
      stop: (callback: Callback<boolean>) =>
        answer(callback, async (peer) => {
          await peer.stop();
          return true;
        }),
      instance: (callback: Callback<string>) => callback(null, instances.own),
      hasTwin(this: { id: string }, callback: Callback<boolean>) {
        instances.hasTwins(this.id).then((hasTwins) => callback(null, hasTwins), callback);
      },
    }),
  };
}

/** Whether a block's data is what its encoding says, before it is signed. */
function hasData(content: Content): boolean {
  return content.type !== 'log-block' || dataBytes(content.encoding, content.data) !== undefined;
}

function checkContents(contents: unknown): Content[] {
  return writeSchema.parse(contents).map((content) => {
    const parsed = parseContent(content);
    if (parsed.kind === 'known') {
      if (hasData(parsed.content)) return parsed.content;
      throw new Error('not a content of ssblog: its data is not in its encoding');
    }
    throw new Error(parsed.kind === 'other' ? 'not a content of ssblog' : `not a content of ssblog: ${parsed.reason}`);
  });
}
