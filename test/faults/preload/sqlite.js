/** SQLite as it is, with points around each commit and around the lock. */
import { DatabaseSync as Real } from '@photostructure/sqlite';
import { pass } from './points.js';

export class DatabaseSync extends Real {
  exec(sql) {
    const name = this.location().endsWith('lock') ? 'lock' : 'commit';
    const isPoint = sql === (name === 'lock' ? 'BEGIN IMMEDIATE' : 'COMMIT');
    if (isPoint) pass(`${name}.before`);
    super.exec(sql);
    if (isPoint) pass(`${name}.after`);
  }
}
