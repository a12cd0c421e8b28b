/** A text as a QR code for a terminal: two dots in a letter, light on dark, as phones need it. */
import { renderUnicodeCompact } from 'uqr';

/** White letters on black, of the colours that no theme changes: on a light terminal it is the same picture. */
const BEGIN = '\u001b[38;5;231;48;5;16m';
const END = '\u001b[0m';

interface Screen {
  /** In letters; undefined: not known. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** Without colours it is dark on light where the terminal is, which some phones do not read. */
  readonly isColoured: boolean;
}

/** @returns the picture, or why it cannot be drawn; of a picture that is higher than the screen, both */
export function renderQr(text: string, { columns, rows, isColoured }: Screen): { drawn?: string; problem?: string } {
  // The lowest correction: nothing damages a screen, and the picture stays small.
  const lines = renderUnicodeCompact(text, { ecc: 'L', border: 2 }).split('\n');
  const width = lines[0]?.length ?? 0;
  if (columns !== undefined && columns < width) {
    return {
      problem: `the QR code needs a terminal of ${width} columns, this one has ${columns}: widen it, or copy the code`,
    };
  }
  const drawn = lines.map((line) => (isColoured ? `${BEGIN}${line}${END}\n` : `${line}\n`)).join('');
  if (rows === undefined || rows >= lines.length) return { drawn };
  return {
    drawn,
    problem: `the QR code is ${lines.length} lines high, the terminal ${rows}: make it higher to scan it`,
  };
}
