/** Opens the store's file: to write, to read, or as a mirror that is made anew when it cannot be used. */
import { chmodSync, closeSync, existsSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { SsblogError } from '../errors.ts';
import { Database } from './database.ts';
import { StoreUnusable } from './failures.ts';
import { migrate, SCHEMA_VERSION, type SchemaState, schemaState, schemaVersion } from './migrations.ts';
import { createStore, type Store } from './store.ts';

/** Nobody else reads a machine's log. SQLite gives its -wal and -shm files the mode of the main file. */
const FILE_MODE = 0o600;
const OTHERS = 0o077;

/**
 * Half of what SQLite takes by itself: each of thirty tables and indexes has a page, which is most of a store with few
 * messages; a full one has seven and is written and read as fast. A store that exists keeps its own.
 */
const PAGE_BYTES = 2048;

/** Pages in the WAL before they go to the main file: a commit of a hundred full messages is 700 of them. */
const CHECKPOINT_PAGES = 8000;

/** What SQLite keeps beside the file. */
const COMPANIONS = ['-wal', '-shm'];

/** Left beside a store when damage is met in the midst of it, where opening alone would not find it. */
const DAMAGE_MARK = '-damaged';

export interface OpenOptions {
  readonly readOnly?: boolean;
}

export interface Mirror {
  readonly store: Store;
  /** The store is new and empty. */
  readonly rebuilt: boolean;
  /** Why what was there could not be used; undefined when nothing was there. */
  readonly reason?: string;
}

/**
 * Opens a store; without `readOnly`, makes the file and brings an older schema up to date.
 * @throws StoreUnusable (SsblogError `store`) when it is missing (read only), of another version, or damaged
 */
export function openStore(file: string, options: OpenOptions = {}): Store {
  return options.readOnly === true ? openReader(file) : openWriter(file, migrateUnlessNewer);
}

/**
 * Opens a store that can be filled again from the feeds: one that is missing, damaged or of another version is
 * deleted and made anew.
 * @throws SsblogError `store` when even that fails (rights, disk, another process holds it)
 */
export function openMirror(file: string): Mirror {
  try {
    if (!existsSync(file)) throw missing(file);
    if (existsSync(file + DAMAGE_MARK)) throw new StoreUnusable('damaged', `the store ${file} is damaged`);
    return { store: openWriter(file, requireCurrent), rebuilt: false };
  } catch (error) {
    if (!(error instanceof StoreUnusable)) throw error;
    for (const suffix of ['', ...COMPANIONS, DAMAGE_MARK]) rmSync(file + suffix, { force: true });
    const store = openWriter(file, migrateUnlessNewer);
    return error.reason === 'missing' ? { store, rebuilt: true } : { store, rebuilt: true, reason: error.message };
  }
}

/**
 * Looks again at a store in which somebody met damage.
 * @throws StoreUnusable when it is damaged
 */
export function recheckDamage(file: string): void {
  if (!existsSync(file + DAMAGE_MARK)) return;
  const store = openReader(file);
  try {
    const [problem] = store.problems(false);
    if (problem !== undefined) throw new StoreUnusable('damaged', `the store ${file} is damaged: ${problem}`);
  } finally {
    store.close();
  }
  rmSync(file + DAMAGE_MARK, { force: true });
}

function openReader(file: string): Store {
  if (!existsSync(file)) throw missing(file);
  return openChecked(file, true, requireCurrent);
}

function openWriter(file: string, check: (db: Database) => void): Store {
  makePrivate(file);
  return openChecked(file, false, (db) => {
    check(db);
    // Every commit is on the disk before it returns.
    db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  });
}

function openChecked(file: string, readOnly: boolean, check: (db: Database) => void): Store {
  const db = new Database(file, { readOnly, onDamage: () => markDamaged(file) });
  try {
    check(db);
    return createStore(db, { readOnly });
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrateUnlessNewer(db: Database): void {
  const state = schemaState(db);
  if (state === 'newer') throw otherVersion(db, state);
  // WAL stays set in the file: readers and the writer do not wait for each other.
  if (state === 'empty') db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL`);
  if (state !== 'current') migrate(db);
}

function requireCurrent(db: Database): void {
  const state = schemaState(db);
  if (state === 'empty') throw missing(db.file);
  if (state !== 'current') throw otherVersion(db, state);
}

function missing(file: string): StoreUnusable {
  return new StoreUnusable('missing', `there is no store at ${file} yet`, {
    hint: 'start the daemon (ssblog start), or run the command again when it is ready',
  });
}

function otherVersion(db: Database, state: SchemaState): StoreUnusable {
  const message = `the store ${db.file} has version ${schemaVersion(db)}, this ssblog reads version ${SCHEMA_VERSION}`;
  const hint =
    state === 'newer'
      ? 'update ssblog, or start the daemon of this version (ssblog start) and run the command again'
      : 'start the daemon (ssblog start), which renews the store, and run the command again';
  return new StoreUnusable('version', message, { hint });
}

/** SQLite itself would make the file with the mode that the umask leaves. */
function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'a', FILE_MODE));
    for (const path of [file, ...COMPANIONS.map((suffix) => file + suffix)]) {
      const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
      if ((mode & OTHERS) !== 0) chmodSync(path, FILE_MODE);
    }
  } catch (cause) {
    throw new SsblogError('store', `the store ${file} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

function markDamaged(file: string): void {
  try {
    if (existsSync(file)) writeFileSync(file + DAMAGE_MARK, '', { mode: FILE_MODE });
  } catch {
    // The failure that is being reported matters more.
  }
}
