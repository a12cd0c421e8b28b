/**
 * Saves what can be read of a damaged store: every message that is found in its pages is verified as if it had just
 * arrived, and a feed goes on for as long as its links hold. The damaged file is only read.
 */
import { rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SignedMessage } from '../message/signed.ts';
import { checkMessage, type Head } from '../peer/engines/sqlite/validate.ts';
import { Database } from '../store/database.ts';
import { openStore } from '../store/open.ts';
import { type MessageScan, scanMessages } from '../store/raw/messages.ts';
import type { Store } from '../store/store.ts';
import type { ExamineOptions } from './finding.ts';

const STEP_MESSAGES = 500;
const STEP_PAGES = 1000;

/** Where which message was found; with millions of them it does not fit into memory. */
const FOUND = `CREATE TABLE found (
  feed TEXT NOT NULL, sequence INTEGER NOT NULL, row INTEGER NOT NULL, page INTEGER NOT NULL, place INTEGER NOT NULL)`;
/** A message must come after the one before it. Row ids give the order in which they came, but for damage in them. */
const INDEX = 'CREATE INDEX found_in_order ON found (row, feed, sequence, page, place)';

export interface Salvaged {
  /** The last sequence of each feed that was saved. */
  readonly feeds: ReadonlyMap<string, number>;
  /** Messages that were found, and could not be used: damaged, or behind a gap. */
  readonly lost: number;
}

type Options = Pick<ExamineOptions, 'signal' | 'onProgress'>;

/** @param target a path at which nothing is; the new store is closed when this resolves, or removed when it fails */
export async function salvageMessages(damaged: string, target: string, options: Options): Promise<Salvaged> {
  const scan = scanMessages(damaged);
  const found = new Database('', { readOnly: false, onDamage: () => undefined });
  try {
    found.exec(FOUND);
    await note(scan, found, options);
    found.exec(INDEX);
    const store = openStore(target);
    try {
      return await copy(scan, found, store, options);
    } finally {
      store.close();
    }
  } catch (error) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(target + suffix, { force: true });
    throw error;
  } finally {
    found.close();
    scan.close();
  }
}

async function note(scan: MessageScan, found: Database, { signal, onProgress }: Options): Promise<void> {
  let pages = 0;
  found.exec('BEGIN');
  for (const message of scan.all()) {
    if (message !== undefined) {
      const { value, row, place } = message;
      const { author, sequence } = value;
      found.run('INSERT INTO found VALUES (?, ?, ?, ?, ?)', author, sequence, row, place.page, place.index);
      continue;
    }
    pages += 1;
    if (pages % STEP_PAGES !== 0) continue;
    onProgress('searching', pages, scan.pages);
    await nextTurn();
    signal.throwIfAborted();
  }
  found.exec('COMMIT');
}

async function copy(
  scan: MessageScan,
  found: Database,
  store: Store,
  { signal, onProgress }: Options,
): Promise<Salvaged> {
  const total = found.number('SELECT count(*) FROM found');
  const heads = new Map<string, Head>();
  let batch: SignedMessage[] = [];
  let [done, saved] = [0, 0];
  for (const row of found.iterate('SELECT page, place FROM found ORDER BY row, feed, sequence')) {
    const [page, index] = row as [number, number];
    const message = checked(scan, { page, index }, heads);
    if (message !== undefined) {
      batch.push(message);
      heads.set(message.value.author, { key: message.key, sequence: message.value.sequence });
      saved += 1;
    }
    done += 1;
    if (done % STEP_MESSAGES !== 0) continue;
    store.ingest(batch);
    batch = [];
    onProgress('saving', done, total);
    await nextTurn();
    signal.throwIfAborted();
  }
  store.ingest(batch);
  return { feeds: new Map([...heads].map(([feed, { sequence }]) => [feed, sequence])), lost: total - saved };
}

/** @returns undefined when it is not the next message of its feed, or not as it was signed */
function checked(
  scan: MessageScan,
  place: { page: number; index: number },
  heads: ReadonlyMap<string, Head>,
): SignedMessage | undefined {
  const message = scan.at(place);
  if (message === undefined) return undefined;
  const { value, timestamp } = message;
  try {
    return { key: checkMessage(heads.get(value.author), value), value, timestamp };
  } catch {
    return undefined; // it counts as lost, and peers have it
  }
}
