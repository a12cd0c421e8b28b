/** Sizes that bound what is written and what is believed when read. */

/** SSB's limit: UTF-16 code units of `JSON.stringify(message, null, 2)` (ssb-validate). */
export const MAX_MESSAGE_UNITS = 8192;

/** A longer line is cut into records of at most this many bytes. */
export const MAX_RECORD_BYTES = 7168;

/** What a block may unpack to; the packer stays under it, a reader refuses more. */
export const MAX_BLOCK_BYTES = 1024 * 1024;

/** Records in a block: a few bytes can unpack to a million empty ones, and each costs its reader. */
export const MAX_BLOCK_RECORDS = 16_384;

/** Source, destination, job and machine names, in UTF-16 code units. */
export const MAX_NAME_UNITS = 200;

/** Run ids, in UTF-16 code units. */
export const MAX_RUN_UNITS = 64;

/** A cron expression and the name of its time zone, in UTF-16 code units. */
export const MAX_CRON_UNITS = 100;
export const MAX_ZONE_UNITS = 64;

/** Why a run has no exit code of its own, in UTF-16 code units. */
export const MAX_REASON_UNITS = 500;

/** Episodes that one notice names; each is a hash, in base64url. */
export const MAX_NOTICE_EPISODES = 100;
export const EPISODE_UNITS = 22;

/** 9999-12-31T23:59:59.999Z: times beyond it cannot be written as ISO 8601 with four digits. */
export const MAX_TIME_MS = 253_402_300_799_999;
