/** Plain tables: columns padded with spaces, nothing that would have to be parsed away. */
import { escapeText } from '../../assemble/escape-controls.ts';

/**
 * Control characters are always shown: names come from other machines, and could draw rows of their own.
 * @returns lines with a final newline; the last column is not padded
 */
export function renderTable(header: readonly string[], cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(escapeText));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[header, ...rows].map(line).join('\n')}\n`;
}
