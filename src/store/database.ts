/**
 * One SQLite connection: prepared statements by their text, transactions, failures a user understands.
 * Knows nothing of what the tables hold.
 */
import { DatabaseSync } from '@photostructure/sqlite';
import { StoreUnusable, storeFailure } from './failures.ts';

export type SqlValue = string | number | Uint8Array | null;

/** A row as its columns in the order of the SELECT: twice as fast as objects with names. */
export type Row = SqlValue[];

type Statement = ReturnType<InstanceType<typeof DatabaseSync>['prepare']>;

/** How long a statement waits for another process's lock. */
const BUSY_TIMEOUT_MS = 5000;
/** Kibibytes of pages that a connection keeps; whoever reads a log looks at most of them once. */
const CACHE_KIB = 16_384;
const READ_CACHE_KIB = 4_096;

export interface DatabaseOptions {
  readonly readOnly: boolean;
  /** Told when SQLite finds the file damaged. */
  readonly onDamage: () => void;
}

export class Database {
  readonly file: string;
  readonly #connection: InstanceType<typeof DatabaseSync>;
  readonly #options: DatabaseOptions;
  readonly #statements = new Map<string, Statement>();

  /** @throws SsblogError `store` when the file cannot be opened */
  constructor(file: string, options: DatabaseOptions) {
    this.file = file;
    this.#options = options;
    this.#connection = this.#guard(
      () => new DatabaseSync(file, { readOnly: options.readOnly, timeout: BUSY_TIMEOUT_MS }),
    );
    this.exec(`PRAGMA cache_size = -${options.readOnly ? READ_CACHE_KIB : CACHE_KIB}`);
  }

  exec(sql: string): void {
    this.#guard(() => this.#connection.exec(sql));
  }

  /** @returns the number of rows changed and the last row's id */
  run(sql: string, ...values: SqlValue[]): { changes: number; rowId: number } {
    return this.#guard(() => {
      const { changes, lastInsertRowid } = this.#prepare(sql).run(...values);
      return { changes, rowId: Number(lastInsertRowid) };
    });
  }

  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values) as Row | undefined);
  }

  all(sql: string, ...values: SqlValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(...values) as Row[]);
  }

  /** Row by row. No other statement of this text may run meanwhile. */
  *iterate(sql: string, ...values: SqlValue[]): Generator<Row, undefined> {
    const rows = this.#guard(() => this.#prepare(sql).iterate(...values) as Iterator<Row>);
    for (;;) {
      const { done, value } = this.#guard(() => rows.next());
      if (done === true) return;
      yield value;
    }
  }

  /** The first column of the first row, as a number; 0 when there is none. */
  number(sql: string, ...values: SqlValue[]): number {
    return Number(this.get(sql, ...values)?.[0] ?? 0);
  }

  /** All or nothing. */
  transaction<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Undoes the transaction that is under way; SQLite may have done so by itself (disk full, I/O error). */
  rollback(): void {
    if (this.#connection.isTransaction) this.exec('ROLLBACK');
  }

  close(): void {
    if (!this.#connection.isOpen) return;
    this.#statements.clear();
    this.#guard(() => this.#connection.close());
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const failure = storeFailure(error, this.file);
      if (failure instanceof StoreUnusable) this.#options.onDamage();
      throw failure;
    }
  }
}
