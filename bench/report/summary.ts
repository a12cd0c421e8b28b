/** Figures of many rounds to one row for each contender of each metric. Pure. */
import { type Figure, OURS, type Unit } from '../measurement.ts';
import { median } from './statistics.ts';

export interface Row {
  readonly contender: string;
  readonly median: number;
  /** Of each round, in their order. */
  readonly rounds: readonly number[];
  /** How many times better the first contender is, if that is ours; undefined for itself. */
  readonly ratio?: number;
}

export interface Metric {
  readonly name: string;
  readonly unit: Unit;
  readonly rows: readonly Row[];
}

/** Metrics come out in the order in which they came first, contenders too, but ours before others. */
export function summarise(figures: readonly Figure[]): Metric[] {
  return [...groupBy(figures, ({ metric }) => metric)].map(([name, ofMetric]) => {
    const { unit } = ofMetric[0] as Figure;
    const rows = [...groupBy(ofMetric, ({ contender }) => contender)].map(([contender, ofContender]) => {
      const rounds = ofContender.map(({ value }) => value);
      return { contender, median: median(rounds), rounds };
    });
    rows.sort((a, b) => Number(isOurs(b)) - Number(isOurs(a)));
    const first = rows[0] as Row;
    if (!isOurs(first)) return { name, unit, rows };
    return { name, unit, rows: rows.map((row) => (row === first ? row : compared(first, row, unit))) };
  });
}

export function isOurs({ contender }: Pick<Row, 'contender'>): boolean {
  return contender.startsWith(OURS);
}

function compared(first: Row, row: Row, unit: Unit): Row {
  return { ...row, ratio: unit.endsWith('/s') ? first.median / row.median : row.median / first.median };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
