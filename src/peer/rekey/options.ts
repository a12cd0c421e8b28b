/** What `rekey` asks of a peer, and what it answers. */
import * as z from 'zod';

export const rekeyOptionsSchema = z.union([
  z.object({ graceMs: z.number().positive() }),
  /** Ends the time in which the old key is accepted. */
  z.object({ end: z.literal(true) }),
]);
export type RekeyOptions = z.infer<typeof rekeyOptionsSchema>;

export const rekeyResultSchema = z.object({
  /** When the key was made: milliseconds since the epoch. */
  changedMs: z.number(),
  /** Until when the one before it is accepted. */
  untilMs: z.number(),
  /** How many machines it was announced to. */
  told: z.number(),
  /** Machines that do not get it. */
  shutOut: z.array(z.string()),
});
export type RekeyResult = z.infer<typeof rekeyResultSchema>;
