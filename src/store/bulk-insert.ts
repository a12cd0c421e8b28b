/** Inserts rows many at a time: the call from JavaScript costs more than the row. */
import type { Database, SqlValue } from './database.ts';

/** A part of what a call of `ssblog pipe` carries, so that few are left over; SQLite takes 32,766 values a statement. */
const CHUNK_ROWS = 64;

export class BulkInsert {
  readonly #db: Database;
  readonly #columns: number;
  readonly #one: string;
  readonly #many: string;
  #values: SqlValue[] = [];

  constructor(db: Database, table: string, columns: number) {
    const row = `(${Array(columns).fill('?').join()})`;
    this.#db = db;
    this.#columns = columns;
    this.#one = `INSERT INTO ${table} VALUES ${row}`;
    this.#many = `INSERT INTO ${table} VALUES ${Array(CHUNK_ROWS).fill(row).join()}`;
  }

  /** The row is in the table after the next `flush`. */
  add(...row: SqlValue[]): void {
    for (const value of row) this.#values.push(value);
    if (this.#values.length === CHUNK_ROWS * this.#columns) this.#write();
  }

  flush(): void {
    this.#write();
  }

  /** Forgets the rows that are not written. */
  clear(): void {
    this.#values = [];
  }

  #write(): void {
    const values = this.#values;
    this.#values = [];
    if (values.length === CHUNK_ROWS * this.#columns) {
      this.#db.run(this.#many, ...values);
      return;
    }
    for (let start = 0; start < values.length; start += this.#columns)
      this.#db.run(this.#one, ...values.slice(start, start + this.#columns));
  }
}
