/** What a machine's settings may hold. */
import * as z from 'zod';
import { MAX_NAME_UNITS } from '../message/limits.ts';
import { isExternal } from './external.ts';
import type { Access, Config, EngineName } from './keys.ts';

const NETWORK_KEY_BYTES = 32;
/** They all stand in a join code. */
const MAX_EXTERNALS = 8;

/** Whether a text is 32 bytes in canonical base64, as SSB's `caps.shs` is. */
function isNetworkKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === NETWORK_KEY_BYTES && bytes.toString('base64') === text;
}

export const networkKeySchema = z
  .string({ error: 'must be 32 bytes in base64 (44 characters)' })
  .refine(isNetworkKey, { error: 'must be 32 bytes in base64 (44 characters)' });

/** A flag and the environment give text, the file a number. */
const integer = (min: number, max: number, what: string) => {
  const error = { error: `must be ${what}` };
  const text = z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number);
  return z.union([z.number(), text], error).pipe(z.int(error).min(min, error).max(max, error));
};

/** A flag and the environment give text, the file a boolean. */
const boolean = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], {
  error: 'must be true or false',
});

const EXTERNAL_ERROR = {
  error: 'must be host names, or addresses like net:HOST:PORT, ws://HOST:PORT and wss://HOST (without ~shs:KEY)',
};
/** A flag and the environment give text with commas or spaces between addresses, the file an array or such a text. */
const externals = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))], {
    ...EXTERNAL_ERROR,
  })
  .refine((addresses) => addresses.length <= MAX_EXTERNALS, { error: `must be at most ${MAX_EXTERNALS} addresses` })
  .refine((addresses) => addresses.every(isExternal), EXTERNAL_ERROR);

// biome-ignore lint/suspicious/noControlCharactersInRegex: a name with control characters could drive a terminal.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

export const nameSchema = z
  .string({ error: 'must be a text' })
  .min(1, { error: 'must not be empty' })
  .max(MAX_NAME_UNITS, { error: `must have at most ${MAX_NAME_UNITS} characters` })
  .refine((name) => !CONTROL.test(name), { error: 'must not hold control characters' });

const ENGINES = ['sqlite', 'ssb-server'] as const satisfies readonly EngineName[];

const ACCESS = ['members', 'followed'] as const satisfies readonly Access[];

const keysSchema = z.strictObject({
  name: nameSchema,
  networkKey: networkKeySchema,
  host: z.string({ error: 'must be an address' }).min(1, { error: 'must be an address' }).optional(),
  port: integer(1, 65_535, 'a port from 1 to 65535'),
  hops: integer(1, 10, 'a whole number from 1 to 10'),
  engine: z.enum(ENGINES, { error: `must be one of: ${ENGINES.join(', ')}` }),
  notify: z.unknown().optional(),
  lan: boolean,
  relay: boolean,
  wsPort: integer(1, 65_535, 'a port from 1 to 65535'),
  external: externals,
  access: z.enum(ACCESS, { error: `must be one of: ${ACCESS.join(', ')}` }),
});

export const configSchema: z.ZodType<Config> = keysSchema.refine(
  ({ relay, port, wsPort }) => !relay || port !== wsPort,
  { path: ['wsPort'], error: 'must be another port than that of "port"' },
);
