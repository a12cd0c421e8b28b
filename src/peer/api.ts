/**
 * ssblog's own muxrpc methods, under the name `ssblog`. Other machines may call `instance` and `hasTwin`; the others
 * are reached by this machine's own key and through the unix socket only.
 */
import * as z from 'zod';
import { SsblogError } from '../errors.ts';
import { type Content, parseContent } from '../message/content.ts';
import type { Control } from './control.ts';
import type { Instances } from './instances.ts';
import type { Callback } from './ssb/types.ts';

/** More than any client of ours sends in one call. */
const MAX_CONTENTS = 1024;

export const API_NAME = 'ssblog';

export const API_MANIFEST = {
  write: 'async',
  connect: 'async',
  status: 'async',
  stop: 'async',
  instance: 'async',
  hasTwin: 'async',
} as const;

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
export function apiPlugin(control: () => Promise<Control> | undefined, instances: Instances): unknown {
  const answer = async <T>(callback: Callback<T>, call: (peer: Control) => Promise<T>) => {
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

function checkContents(contents: unknown): Content[] {
  return writeSchema.parse(contents).map((content) => {
    const parsed = parseContent(content);
    if (parsed.kind === 'known') return parsed.content;
    throw new Error(parsed.kind === 'other' ? 'not a content of ssblog' : `not a content of ssblog: ${parsed.reason}`);
  });
}
