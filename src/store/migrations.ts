/** Steps from one version of the schema to the next, numbered by the version they lead to. */
import type { Database } from './database.ts';
import { StoreUnusable } from './failures.ts';
import { rebuildDrawn } from './rebuild.ts';
import {
  APPLICATION_ID,
  TABLES,
  VERSION_1,
  VERSION_2,
  VERSION_4,
  VERSION_5,
  VERSION_6,
  VERSION_7,
  VERSION_8,
  VERSION_9,
} from './schema.ts';
import { VERSION_3, VIEWS_6, VIEWS_9 } from './views.ts';

interface Migration {
  readonly version: number;
  readonly sql: string;
  /** What SQL cannot do, in the same transaction. */
  readonly after?: (db: Database) => void;
}

/** Append only: a step that was released is never changed. */
const MIGRATIONS: readonly Migration[] = [
  { version: 1, sql: VERSION_1 },
  { version: 2, sql: VERSION_2 },
  { version: 3, sql: VERSION_3 },
  { version: 4, sql: VERSION_4 },
  { version: 5, sql: VERSION_5 },
  { version: 6, sql: VERSION_6 + VIEWS_6 },
  { version: 7, sql: VERSION_7 },
  { version: 8, sql: VERSION_8 },
  { version: 9, sql: VERSION_9 + VIEWS_9 },
  // Blocks in base32768: others may have sent some to a version that could not read them. What draws them anew knows
  // the newest tables only: whoever appends a step moves `after` to it.
  { version: 10, sql: '', after: redrawUnreadable },
];

export const SCHEMA_VERSION = Math.max(...MIGRATIONS.map(({ version }) => version));

export type SchemaState = 'empty' | 'older' | 'current' | 'newer';

/** @throws StoreUnusable `damaged` when the file is another program's, or lacks a table */
export function schemaState(db: Database): SchemaState {
  const tables = db.all(`SELECT name FROM sqlite_schema WHERE type = 'table'`).map(([name]) => String(name));
  const version = schemaVersion(db);
  if (tables.length === 0 && version === 0) return 'empty';
  if (db.number('PRAGMA application_id') !== APPLICATION_ID) throw notAStore(db, 'it is not a store of ssblog');
  if (version > SCHEMA_VERSION) return 'newer';
  if (version < SCHEMA_VERSION) return 'older';
  const missing = TABLES.find((table) => !tables.includes(table));
  if (missing !== undefined) throw notAStore(db, `the table ${missing} is missing`);
  return 'current';
}

function notAStore(db: Database, reason: string): StoreUnusable {
  return new StoreUnusable('damaged', `the store ${db.file} is damaged: ${reason}`, {
    hint: 'start the daemon again (ssblog start): it mends the store, or says what to do',
  });
}

export function schemaVersion(db: Database): number {
  return db.number('PRAGMA user_version');
}

/** Messages that could not be read are read now, where this version can. */
function redrawUnreadable(db: Database): void {
  if (db.number('SELECT count(*) FROM feeds WHERE unreadable > 0') === 0) return;
  for (const messages of rebuildDrawn(db)) void messages;
}

/** Brings an empty or older store to SCHEMA_VERSION; each step is one transaction. */
export function migrate(db: Database): void {
  for (const { version, sql, after } of MIGRATIONS) {
    db.transaction(() => {
      // Read inside the transaction: another process may have made the step meanwhile.
      if (schemaVersion(db) >= version) return;
      db.exec(sql);
      after?.(db);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}`);
    });
  }
}
