/** The table on a terminal or in a log of CI. Pure. */
import type { Unit } from '../measurement.ts';
import type { Metric, Row } from './summary.ts';

const COLUMN_WIDTH = 18;

export function table(metrics: readonly Metric[]): string {
  const width = Math.max(...metrics.flatMap(({ name, rows }) => [name.length, ...rows.map(labelWidth)]));
  const hasRange = metrics.some(({ rows }) => rows.some(({ rounds }) => rounds.length > 1));
  const lines = [line(width, ['', 'median', ...(hasRange ? ['lowest', 'highest'] : []), 'ssblog better'])];
  for (const { name, unit, rows } of metrics) {
    // A metric that nobody competes in takes one line.
    if (rows.length > 1) lines.push(name);
    for (const row of rows) {
      const label = rows.length > 1 ? `  ${row.contender}` : name;
      const range = hasRange ? [Math.min(...row.rounds), Math.max(...row.rounds)] : [];
      const ratio = row.ratio === undefined ? '' : `${digits(row.ratio)} times`;
      lines.push(line(width, [label, ...[row.median, ...range].map((value) => withUnit(value, unit)), ratio]));
    }
  }
  return `${lines.join('\n')}\n`;
}

export function withUnit(value: number, unit: Unit): string {
  return `${digits(value)} ${unit}`;
}

/** Three significant digits, or all before the point. */
function digits(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)).toString();
}

function labelWidth({ contender }: Row): number {
  return contender.length + 2;
}

function line(width: number, [label, ...columns]: readonly string[]): string {
  return `${(label ?? '').padEnd(width)}${columns.map((column) => column.padStart(COLUMN_WIDTH)).join('')}`.trimEnd();
}
