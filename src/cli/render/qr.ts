/** A text as a QR code for a terminal: two dots in a letter, as light on dark as phones need it. */
import { renderUnicodeCompact } from 'uqr';

/** The lowest correction: nothing damages a screen, and the picture stays small. */
export function renderQr(text: string): string {
  return `${renderUnicodeCompact(text, { ecc: 'L', border: 2 })}\n`;
}
