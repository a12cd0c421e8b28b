/**
 * A machine's key pair, in the file format of ssb-keys. Read without ssb-keys, whose loader takes any
 * broken file for a missing one; a new identity is only ever made by `init`.
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { SsblogError, systemCode } from '../errors.ts';
import type { MachinePaths } from './paths.ts';

export interface Identity {
  readonly curve: 'ed25519';
  /** 32 bytes in base64, with the suffix `.ed25519` */
  readonly public: string;
  /** 64 bytes (seed and public key) in base64, with the suffix `.ed25519` */
  readonly private: string;
  /** `@` and the public key: the feed's id */
  readonly id: string;
}

const PUBLIC_BYTES = 32;
const PRIVATE_BYTES = 64;

const identitySchema = z
  .object({
    curve: z.literal('ed25519'),
    public: z.string().endsWith('.ed25519'),
    private: z.string().endsWith('.ed25519'),
    id: z.string(),
  })
  .refine(
    (keys) => {
      const publicKey = keyBytes(keys.public);
      const privateKey = keyBytes(keys.private);
      return (
        publicKey.length === PUBLIC_BYTES &&
        privateKey.length === PRIVATE_BYTES &&
        privateKey.subarray(PRIVATE_BYTES - PUBLIC_BYTES).equals(publicKey) &&
        keys.id === `@${keys.public}`
      );
    },
    { error: 'the keys do not belong together' },
  );

function keyBytes(text: string): Buffer {
  return Buffer.from(text.replace(/\.ed25519$/, ''), 'base64');
}

/** @throws SsblogError `config`: the file is missing, readable for others, or broken */
export function readIdentity(paths: MachinePaths): Identity {
  let text: string;
  try {
    const others = statSync(paths.secret).mode & 0o077;
    if (others !== 0 && process.platform !== 'win32') {
      throw new SsblogError(
        'config',
        `${paths.secret} is open to other users (mode ${octal(statSync(paths.secret).mode)})`,
        {
          hint: `close it: chmod 400 ${paths.secret}`,
        },
      );
    }
    text = readFileSync(paths.secret, 'utf8');
  } catch (error) {
    if (error instanceof SsblogError) throw error;
    const missing = systemCode(error) === 'ENOENT';
    throw new SsblogError('config', `${missing ? 'there is no' : 'cannot read'} ${paths.secret}`, {
      hint: missing
        ? "restore it from a backup: it is this machine's identity and cannot be made again"
        : `make it readable for you: chmod 400 ${paths.secret}`,
      cause: error,
    });
  }
  const json = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n');
  const result = identitySchema.safeParse(parseJson(json));
  if (result.success) return result.data;
  throw new SsblogError('config', `${paths.secret} is damaged: it does not hold an ed25519 key pair`, {
    hint: "restore it from a backup: it is this machine's identity and cannot be made again",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema refuses it, with the right message
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}

/** Makes a key pair and writes it, mode 0400. Fails when the file exists. */
export function writeNewIdentity(paths: MachinePaths): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = privateKey.export({ format: 'jwk' });
  const seed = Buffer.from(jwk.d as string, 'base64url');
  const point = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  const identity: Identity = {
    curve: 'ed25519',
    public: `${point.toString('base64')}.ed25519`,
    private: `${Buffer.concat([seed, point]).toString('base64')}.ed25519`,
    id: `@${point.toString('base64')}.ed25519`,
  };
  writeFileSync(paths.secret, secretText(identity), { mode: 0o400, flag: 'wx' });
  return identity;
}

function secretText(identity: Identity): string {
  return `# The identity of this machine. Never show it to anyone and never use it on two machines:
# two writers fork the feed, and the other machines stop replicating it.

${JSON.stringify(identity, null, 2)}

# What may be shared is the id:
#   ${identity.id}
`;
}
