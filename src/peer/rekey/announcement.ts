/**
 * A new network key as it travels: a private message on a machine's own feed, that only those can open whom it is for.
 * It comes like any other message, also through machines that cannot read it.
 */
import ssbKeys from 'ssb-keys';
import * as z from 'zod';
import type { Identity } from '../../config/identity.ts';
import { networkKeySchema } from '../../config/schema.ts';
import { SsblogError } from '../../errors.ts';
import { feedIdSchema } from '../../message/content.ts';
import { MAX_TIME_MS } from '../../message/limits.ts';

/** Of private-box: more than so many cannot share one message. */
const MAX_RECIPIENTS = 7;
/** Their ids have to go into one message, with the heads for the recipients. */
const MAX_SHUT_OUT = 64;

const timeSchema = z.number().int().min(0).max(MAX_TIME_MS);

const announcementSchema = z.object({
  type: z.literal('ssblog-rekey'),
  key: networkKeySchema,
  /** When it was made, by the clock of who made it: the latest counts. */
  at: timeSchema,
  /** Until when the key before it is accepted. */
  until: timeSchema,
  /** Who made it; whoever passes it on leaves that as it is. */
  origin: feedIdSchema,
  /** Machines that must not get it. */
  shutOut: z.array(feedIdSchema).max(MAX_SHUT_OUT),
});
export type Announcement = z.infer<typeof announcementSchema>;

/** @returns contents of messages: as many as the recipients need */
export function sealAnnouncement(announcement: Announcement, recipients: readonly string[]): string[] {
  const contents: string[] = [];
  for (let from = 0; from < recipients.length; from += MAX_RECIPIENTS) {
    contents.push(ssbKeys.box(announcement, recipients.slice(from, from + MAX_RECIPIENTS)));
  }
  return contents;
}

/** @returns undefined for what is no announcement, or for others */
export function openAnnouncement(content: unknown, identity: Identity): Announcement | undefined {
  if (typeof content !== 'string' || !content.endsWith('.box')) return undefined;
  // A copy: ssb-keys keeps a key that it derives in the object.
  const parsed = announcementSchema.safeParse(ssbKeys.unbox(content, { ...identity }));
  return parsed.success ? parsed.data : undefined;
}

/** Of two announcements that cross, all machines take the same one. */
export function isLater(one: Pick<Announcement, 'at' | 'origin'>, other: Pick<Announcement, 'at' | 'origin'>): boolean {
  return one.at !== other.at ? one.at > other.at : one.origin > other.origin;
}

/** @returns each once. @throws SsblogError `usage` when they are too many for a message */
export function checkShutOut(ids: readonly string[]): string[] {
  const all = [...new Set(ids)];
  if (all.length <= MAX_SHUT_OUT) return all;
  throw new SsblogError('usage', `${all.length} machines are to be shut out; a message holds ${MAX_SHUT_OUT}`, {
    hint: 'make a new network: ssblog init, and join codes for the machines that stay',
  });
}
