/** Plain tables: columns padded with spaces, nothing that would have to be parsed away. */
import { escapeText } from '../../assemble/escape-controls.ts';

/** What a cell looks like on a terminal; it must take the same room. `row` counts from 0, without the header. */
export type Paint = (cell: string, row: number, column: number) => string;

/**
 * Control characters are always shown: names come from other machines, and could draw rows of their own.
 * @returns lines with a final newline; the last column is not padded
 */
export function renderTable(
  header: readonly string[],
  cells: readonly (readonly string[])[],
  paint: Paint = (cell) => cell,
): string {
  const rows = cells.map((row) => row.map(escapeText));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[], index: number) =>
    row
      .map((cell, column) => {
        const padded = column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0);
        return index < 0 ? padded : paint(padded, index, column);
      })
      .join('  ')
      .trimEnd();
  return `${[header, ...rows].map((row, index) => line(row, index - 1)).join('\n')}\n`;
}
