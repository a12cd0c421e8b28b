/** Damage to a file, as disks and power cuts do it, and to a store's tables, as nobody should. */
import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';

/** SQLite's, for all stores here. */
export const PAGE_BYTES = 2048;

export function overwrite(file: string, bytes: Buffer, at: number): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

/** Some bytes in the middle of every so many pages, but for the first ones. */
export function flipBytes(file: string, everyPages: number): void {
  const pages = statSync(file).size / PAGE_BYTES;
  for (let page = 12; page < pages; page += everyPages)
    overwrite(file, Buffer.alloc(200, 0xa5), page * PAGE_BYTES + PAGE_BYTES / 2 - 100);
}

/** @param part of the file that is left, from 0 to 1 */
export function cutOff(file: string, part: number): void {
  truncateSync(file, Math.floor(statSync(file).size * part));
}

/** The size stays: the file system knew it, and never got the content. */
export function zeroTail(file: string, part: number): void {
  const { size } = statSync(file);
  const start = Math.floor(size * part);
  overwrite(file, Buffer.alloc(size - start), start);
}

export function sql(file: string, statements: string): void {
  const db = new DatabaseSync(file);
  db.exec(statements);
  db.close();
}

/** Numbers of the pages that a table or an index has. */
export function pagesOf(file: string, name: string): number[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare('SELECT pageno FROM dbstat WHERE name = ?').all(name) as { pageno: number }[];
  db.close();
  return rows.map(({ pageno }) => pageno);
}
