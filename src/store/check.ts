/** Whether the file is sound: its pages and indexes, and whether feeds and messages agree. */
import type { Database } from './database.ts';

/** So many problems say it all. */
const MAX_PROBLEMS = 10;

/** What a feed says it has, and what there is of it; read from indexes only. */
const DISAGREEING = `SELECT feeds.feed, feeds.sequence, counted.messages, counted.last FROM feeds
  LEFT JOIN (SELECT feed, count(*) AS messages, max(sequence) AS last FROM messages GROUP BY feed) AS counted
    ON counted.feed = feeds.id
  WHERE feeds.sequence <> coalesce(counted.messages, 0) OR feeds.sequence <> coalesce(counted.last, 0)
  UNION ALL
  SELECT 'a feed without a name', 0, count(*), max(sequence) FROM messages
    WHERE feed NOT IN (SELECT id FROM feeds) GROUP BY feed`;

/**
 * @param thorough compares every index with its table as well
 * @returns what is wrong, a line each; empty when nothing is
 * @throws StoreUnusable when it cannot even be looked at
 */
export function fileProblems(db: Database, thorough: boolean): string[] {
  const pragma = thorough ? 'integrity_check' : 'quick_check';
  const problems = textsOf(db, `PRAGMA ${pragma}(${MAX_PROBLEMS})`);
  return problems.length > 0 ? problems : disagreements(db);
}

/** Whether all messages and the ends of feeds are as they were stored, whatever has become of the rest. */
export function areMessagesSound(db: Database): boolean {
  return (
    ['messages', 'feeds'].every((table) => textsOf(db, `PRAGMA integrity_check('${table}')`).length === 0) &&
    disagreements(db).length === 0
  );
}

function textsOf(db: Database, pragma: string): string[] {
  return db
    .all(pragma)
    .map(([text]) => String(text))
    .filter((text) => text !== 'ok')
    .map((text) => text.replaceAll('\n', ' '));
}

function disagreements(db: Database): string[] {
  return db
    .all(DISAGREEING)
    .map(([feed, sequence, messages]) => `${feed} should have ${sequence} messages, there are ${messages ?? 0}`);
}
