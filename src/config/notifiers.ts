/**
 * Who is told what, and how: `notify` in `config.json`. It is checked where it is used, not with the other settings:
 * a mistake in it must not keep `pipe` from its lines.
 */
import * as z from 'zod';
import { SsblogError } from '../errors.ts';
import { MAX_NAME_UNITS } from '../message/limits.ts';
import { parseDuration } from './duration.ts';
import type { Config } from './keys.ts';
import { nameSchema } from './schema.ts';

const EVENTS = ['failed', 'missing', 'stuck', 'recovered'] as const;
const CHANNELS = ['desktop', 'command', 'webhook', 'ntfy', 'mail'] as const;
export type ChannelName = (typeof CHANNELS)[number];

const MAX_NOTIFIERS = 50;
const MAX_LIST = 200;
const MAX_PATTERN_UNITS = 1000;

/** A local program that takes a mail on its stdin and reads whom it is for from its headers. */
const SENDMAIL = ['/usr/sbin/sendmail', '-t', '-i'];

const duration = z.string({ error: 'must be a duration as 90s, 30m, 24h or 3d' }).transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  context.addIssue({ code: 'custom', message: 'must be a duration as 90s, 30m, 24h or 3d' });
  return z.NEVER;
});

const commandLine = z
  .array(
    z.string().refine((part) => !part.includes('\0'), { error: 'must not hold NUL' }),
    {
      error: 'must be a list: the program and its arguments',
    },
  )
  .min(1, { error: 'must be a list: the program and its arguments' })
  .max(MAX_LIST);

const url = z
  .string({ error: 'must be a URL' })
  .refine(isHttpUrl, { error: 'must be a URL that begins with http:// or https://' });

/** What may stand in a header line, and in an address without quotes (RFC 5322, 3.4.1). */
const address = z
  .string({ error: 'must be an address' })
  .max(MAX_NAME_UNITS)
  .regex(/^[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]+(@[\p{L}\p{N}.-]+)?$/u, {
    error: 'must be an address, as anna@example.org',
  });

const headers = z.record(
  z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: 'must be names of headers' }),
  z.string().regex(/^[\t\x20-\x7e]*$/, { error: 'must be printable ASCII' }),
);

const quiet = z
  .string({ error: 'must be two times of the day, as 22:00-07:00' })
  .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, {
    error: 'must be two times of the day, as 22:00-07:00',
  });

const names = z.array(z.string().min(1).max(MAX_NAME_UNITS), { error: 'must be a list of names' }).min(1).max(MAX_LIST);

const notifierSchema = z
  .strictObject({
    name: nameSchema,
    /** The person: when machines tell the same one, one of them does. */
    to: nameSchema.optional(),
    desktop: z.literal(true, { error: 'must be true' }).optional(),
    command: commandLine.optional(),
    webhook: url.optional(),
    headers: headers.optional(),
    ntfy: url.optional(),
    token: z
      .string()
      .regex(/^[\x21-\x7e]+$/, { error: 'must be printable ASCII' })
      .optional(),
    mail: address.optional(),
    from: address.optional(),
    sendmail: commandLine.optional(),
    on: z.array(z.enum(EVENTS, { error: `must be a list of: ${EVENTS.join(', ')}` })).optional(),
    match: z
      .string({ error: 'must be a regular expression' })
      .min(1)
      .max(MAX_PATTERN_UNITS)
      .refine(isPattern, { error: 'must be a regular expression' })
      .optional(),
    ignoreCase: z.boolean({ error: 'must be true or false' }).optional(),
    silent: duration.optional(),
    repeat: duration.optional(),
    quiet: quiet.optional(),
    jobs: names.optional(),
    machines: names.optional(),
    takeover: duration.optional(),
    timeout: duration.optional(),
  })
  .superRefine((notifier, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const channels = CHANNELS.filter((channel) => notifier[channel] !== undefined);
    if (channels.length !== 1)
      context.addIssue({ code: 'custom', message: `needs exactly one of: ${CHANNELS.join(', ')}` });
    if (notifier.headers !== undefined && notifier.webhook === undefined) issue('headers', 'belongs to "webhook"');
    if (notifier.token !== undefined && notifier.ntfy === undefined) issue('token', 'belongs to "ntfy"');
    for (const key of ['from', 'sendmail'] as const)
      if (notifier[key] !== undefined && notifier.mail === undefined) issue(key, 'belongs to "mail"');
    if (notifier.ignoreCase !== undefined && notifier.match === undefined) issue('ignoreCase', 'belongs to "match"');
    if (notifier.ntfy !== undefined && isHttpUrl(notifier.ntfy) && new URL(notifier.ntfy).pathname.length < 2)
      issue('ntfy', 'must be the URL of a topic, as https://ntfy.sh/my-topic');
  });

const notifiersSchema = z
  .array(notifierSchema, { error: 'must be a list' })
  .max(MAX_NOTIFIERS)
  .superRefine((notifiers, context) => {
    for (const [index, { name }] of notifiers.entries())
      if (notifiers.findIndex((other) => other.name === name) < index)
        context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is the name of another one as well' });
  });

export type NotifierConfig = z.infer<typeof notifierSchema>;

/** In milliseconds: how long others get to tell it first, and how long a channel may take. */
export const DEFAULT_TAKEOVER_MS = 300_000;
export const DEFAULT_TIMEOUT_MS = 30_000;

/** @throws SsblogError `config`, naming the entry and the key */
export function parseNotifiers({ notify }: Config): NotifierConfig[] {
  if (notify === undefined) return [];
  const result = notifiersSchema.safeParse(notify);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new SsblogError('config', `"notify" in config.json: ${issueText(notify, issue)}`, {
    hint: 'correct it; README.md has an example of each kind',
  });
}

interface Issue {
  readonly code?: string;
  readonly path: PropertyKey[];
  readonly message: string;
  readonly keys?: string[];
}

function issueText(notify: unknown, issue: Issue | undefined): string {
  if (issue === undefined) return 'is wrong';
  const [index, ...keys] = issue.path;
  if (typeof index !== 'number') return issue.message;
  const name = (notify as { name?: unknown }[])[index]?.name;
  const entry = typeof name === 'string' && name.length <= MAX_NAME_UNITS ? JSON.stringify(name) : `entry ${index + 1}`;
  if (issue.code === 'unrecognized_keys') return `${entry} has an unknown key "${issue.keys?.[0] ?? ''}"`;
  if (keys.length === 0) return `${entry} ${issue.message}`;
  return `"${String(keys[0])}" of ${entry} ${issue.message}`;
}

/** The way by which a notifier tells. */
export function channelOf(notifier: NotifierConfig): ChannelName {
  return CHANNELS.find((channel) => notifier[channel] !== undefined) ?? 'desktop';
}

export function sendmailOf(notifier: NotifierConfig): readonly string[] {
  return notifier.sendmail ?? SENDMAIL;
}

/** @returns undefined without a pattern */
export function patternOf({ match, ignoreCase }: NotifierConfig): RegExp | undefined {
  return match === undefined ? undefined : new RegExp(match, ignoreCase === true ? 'i' : '');
}

const MASK = '********';

/** The notifiers as they may be shown: what a URL has behind its host is often a secret, and so are arguments. */
export function maskNotifiers(notify: unknown): unknown {
  if (!Array.isArray(notify)) return notify === undefined ? undefined : MASK;
  return notify.map((notifier: unknown) => {
    if (typeof notifier !== 'object' || notifier === null) return MASK;
    return Object.fromEntries(Object.entries(notifier).map(([key, value]) => [key, masked(key, value)]));
  });
}

function masked(key: string, value: unknown): unknown {
  switch (key) {
    case 'webhook':
    case 'ntfy':
      return typeof value === 'string' && isHttpUrl(value) ? `${new URL(value).origin}/${MASK}` : MASK;
    case 'token':
      return MASK;
    case 'headers':
      return typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.keys(value).map((header) => [header, MASK]))
        : MASK;
    case 'command':
    case 'sendmail':
      return Array.isArray(value) && value.length > 1 ? [value[0], MASK] : value;
    default:
      return value;
  }
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false; // a SyntaxError says just that
  }
}
