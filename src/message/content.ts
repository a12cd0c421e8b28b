/**
 * The contents that travel in messages, as zod checks them: on the way in, and again when
 * they are read from a feed, because another machine's feed is untrusted input.
 * Unknown fields are kept and ignored.
 */
import * as z from 'zod';
import { ENCODING, ENCODINGS } from './block-encodings.ts';
import { type Level, parseLevel } from './level.ts';
import {
  EPISODE_UNITS,
  MAX_BLOCK_RECORDS,
  MAX_CRON_UNITS,
  MAX_NAME_UNITS,
  MAX_NOTICE_EPISODES,
  MAX_REASON_UNITS,
  MAX_RUN_UNITS,
  MAX_TIME_MS,
  MAX_ZONE_UNITS,
} from './limits.ts';

/** `@…=.ed25519`: 32 bytes of public key in base64. */
export const feedIdSchema = z.string().regex(/^@[A-Za-z0-9+/]{43}=\.ed25519$/);

/** Stock command lines turn `--text 42` into a number: it was text to whoever typed it. */
const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
/** Behind a NUL SQLite's binding reads no further: two texts would become one. */
const hasNoNul = (text: string) => !text.includes('\0');
const nameText = z.string().min(1).max(MAX_NAME_UNITS).refine(hasNoNul);
/** A label that is no name says nothing; the line that carries it is still worth showing. */
const name = scalar.pipe(nameText).optional().catch(undefined);
/** A name that says which thing is meant: without it the message says nothing. */
const requiredName = scalar.pipe(nameText);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Milliseconds since the epoch; SSB's own timestamps may have a fraction. */
const time = z.number().min(0).max(MAX_TIME_MS);
const level = z
  .string()
  .max(20)
  .transform((value, context): Level => {
    const parsed = parseLevel(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: 'no syslog level' });
    return z.NEVER;
  });
/** zod's own check takes longer than all the rest of a block's, and so does a regular expression. */
const base64 = z.string().refine(isBase64);
const stream = z.enum(['stdout', 'stderr']);

/** Who the lines are from; shared by every message of a run. */
const labels = {
  source: name,
  destination: name,
  job: name,
};
const run = z.string().min(1).max(MAX_RUN_UNITS).refine(hasNoNul);

/** One line. Only `type` and `text` are required: stock SSB tools write no more than those and the labels. */
const logSchema = z.looseObject({
  type: z.literal('log'),
  ...labels,
  text: scalar,
  at: time.optional().catch(undefined),
  run: run.optional().catch(undefined),
  line: count.min(1).optional().catch(undefined),
  level: level.optional().catch(undefined),
  stream: stream.optional().catch(undefined),
  /** The line's bytes in base64, when they are not UTF-8: `text` then has U+FFFD in their place. */
  raw: base64.optional().catch(undefined),
  /** The line goes on in the run's next record: it was too long for one message. */
  more: z.literal(true).optional().catch(undefined),
});

/** Many lines of one run, compressed. `line` is the first record's number, `lines` the count of records. */
const logBlockSchema = z
  .looseObject({
    type: z.literal('log-block'),
    ...labels,
    run,
    line: count.min(1),
    lines: count.min(1).max(MAX_BLOCK_RECORDS),
    at: z.tuple([time, time]),
    /** The worst level of the lines in it. */
    level: level.optional().catch(undefined),
    /** A line goes on in the record after: in this block, or in the run's next message. */
    more: z.literal(true).optional().catch(undefined),
    encoding: z.enum(ENCODINGS),
    data: z.string(),
  })
  .refine(({ encoding, data }) => encoding === ENCODING || isBase64(data), { path: ['data'] });

const shortText = (maxUnits: number) => z.string().max(maxUnits).refine(hasNoNul).optional();

/**
 * A run's start or end. `exit` is null when it is not known or when a signal ended it; `reason` then says why it has
 * no exit code of its own (`timeout`, `spawn ENOENT`). With `ok` the job did its work although `exit` is not 0. Its job's schedule is `every` or `cron` (in the zone `tz`), and
 * `grace` how late it may be.
 */
const logRunSchema = z.looseObject({
  type: z.literal('log-run'),
  ...labels,
  run,
  state: z.enum(['start', 'end']),
  started: time,
  ended: time.optional(),
  exit: z.number().int().min(-1).max(255).nullable().optional(),
  ok: z.literal(true).optional().catch(undefined),
  signal: z.string().max(20).nullable().optional(),
  lines: count.optional(),
  levels: z.partialRecord(z.string().max(20), count).optional(),
  reason: shortText(MAX_REASON_UNITS),
  every: z.string().max(50).optional(),
  cron: shortText(MAX_CRON_UNITS),
  /** IANA's name of the zone. */
  tz: shortText(MAX_ZONE_UNITS),
  grace: z.string().max(50).optional(),
});

/**
 * What somebody wants of a job of the machine `feed`: `paused` (until a time, where one is given), `active` again, or
 * `forgotten` with all runs that started before `at`.
 */
const logJobSchema = z.looseObject({
  type: z.literal('log-job'),
  feed: feedIdSchema,
  source: requiredName.optional(),
  destination: requiredName.optional(),
  job: requiredName,
  state: z.enum(['paused', 'active', 'forgotten']),
  until: time.optional(),
  at: time,
});

/**
 * A machine says of a job of its own that it has not run, its grace being over, or does not end: at `due` it should
 * have. So those who hear of it only through others know that it is there.
 */
const logOverdueSchema = z.looseObject({
  type: z.literal('log-overdue'),
  source: requiredName.optional(),
  destination: requiredName.optional(),
  job: requiredName,
  /** The latest one that there is. */
  run,
  due: time,
  at: time,
});

const episode = z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${EPISODE_UNITS}}$`));

/**
 * How machines that tell one person agree on who does: `claim` that this one may, `release` that it does not any more,
 * `sent` which episodes it told, at `at`.
 */
const logNoticeSchema = z.looseObject({
  type: z.literal('log-notice'),
  kind: z.enum(['claim', 'release', 'sent']),
  /** The person, by the name that the machines agreed on. */
  to: requiredName,
  at: time,
  episodes: z.array(episode).max(MAX_NOTICE_EPISODES).optional(),
});

/** SSB's own: follow, unfollow, block. */
const contactSchema = z.looseObject({
  type: z.literal('contact'),
  contact: feedIdSchema,
  following: z.boolean().optional(),
  blocking: z.boolean().optional(),
  /** What older software says instead of `blocking`: true, or an object with a reason. */
  flagged: z.unknown().optional(),
});

/** SSB's own: what the author calls a feed; other software also gives pictures and descriptions, without a name. */
const aboutSchema = z.looseObject({
  type: z.literal('about'),
  about: feedIdSchema,
  name: nameText.optional(),
});

/** Node skips what is no base64, and takes the alphabet for URLs as well: what it skipped is missing. */
function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = (text.length / 4) * 3 - padding;
  return Buffer.from(text, 'base64').length === bytes && !text.includes('-') && !text.includes('_');
}

export type LogContent = z.infer<typeof logSchema>;
export type LogBlockContent = z.infer<typeof logBlockSchema>;
export type LogRunContent = z.infer<typeof logRunSchema>;
export type LogJobContent = z.infer<typeof logJobSchema>;
export type LogOverdueContent = z.infer<typeof logOverdueSchema>;
export type LogNoticeContent = z.infer<typeof logNoticeSchema>;
export type ContactContent = z.infer<typeof contactSchema>;
export type AboutContent = z.infer<typeof aboutSchema>;

/** What ssblog writes and understands. */
export type Content =
  | LogContent
  | LogBlockContent
  | LogRunContent
  | LogJobContent
  | LogOverdueContent
  | LogNoticeContent
  | ContactContent
  | AboutContent;

const SCHEMAS = {
  log: logSchema,
  'log-block': logBlockSchema,
  'log-run': logRunSchema,
  'log-job': logJobSchema,
  'log-overdue': logOverdueSchema,
  'log-notice': logNoticeSchema,
  contact: contactSchema,
  about: aboutSchema,
} as const;

export type ParsedContent =
  | { readonly kind: 'known'; readonly content: Content }
  /** Not a type of ours (or encrypted): none of our business. */
  | { readonly kind: 'other' }
  /** A type of ours that does not hold what it must. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/**
 * What a contact says of its author and the feed; blocking ends following.
 * @returns undefined when it says nothing, which changes nothing
 */
export function relationOf({ following, blocking, flagged }: ContactContent) {
  if (following === undefined && blocking === undefined && flagged === undefined) return undefined;
  const isBlocking = blocking === true || Boolean(flagged);
  return { following: following === true && !isBlocking, blocking: isBlocking };
}

/** Checks a message's content, wherever it came from. Never throws. */
export function parseContent(content: unknown): ParsedContent {
  const type = (content as { type?: unknown } | null)?.type;
  if (typeof type !== 'string' || !Object.hasOwn(SCHEMAS, type)) return { kind: 'other' };
  const result = SCHEMAS[type as keyof typeof SCHEMAS].safeParse(content);
  if (result.success) return { kind: 'known', content: result.data };
  const issue = result.error.issues[0];
  return { kind: 'unreadable', reason: `${type}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'invalid'}` };
}
