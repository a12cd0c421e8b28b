/** Who tells whom, and what was told. Whose word counts is for the reader to decide. */
import type { Database } from './database.ts';

export interface SentNotice {
  readonly author: string;
  readonly episode: string;
  /** By the author's clock: milliseconds since the epoch. */
  readonly at: number;
}

export function readClaims(db: Database, to: string): string[] {
  return db
    .all(
      `SELECT feeds.feed FROM notices JOIN feeds ON feeds.id = notices.author
       WHERE recipient = ? AND episode = '' AND active = 1`,
      to,
    )
    .map(([feed]) => String(feed));
}

export function readClaimsOf(db: Database, feed: string): string[] {
  return db
    .all(
      `SELECT recipient FROM notices
       WHERE author = (SELECT id FROM feeds WHERE feed = ?) AND episode = '' AND active = 1`,
      feed,
    )
    .map(([recipient]) => String(recipient));
}

export function readNotices(db: Database, to: string, episodes: readonly string[]): SentNotice[] {
  const rows = db.all(
    `SELECT feeds.feed, episode, at FROM notices JOIN feeds ON feeds.id = notices.author
     WHERE recipient = ? AND episode IN (SELECT value FROM json_each(?)) AND episode <> ''`,
    to,
    JSON.stringify(episodes),
  );
  return rows.map((row) => {
    const [author, episode, at] = row as [string, string, number];
    return { author, episode, at };
  });
}
