/** Where in a JSON text something stands, for messages about a file that a person edits. */

/** The line, from 1, at which JSON.parse gave up. */
export function jsonErrorLine(text: string, error: unknown): number {
  const message = (error as Error).message;
  const position = /position (\d+)/.exec(message)?.[1];
  // Where the text ends too soon V8 names its end, or nothing; the last line that holds something is what helps.
  const end = text.trimEnd().length;
  const offset = position === undefined ? end : Math.min(Number(position), end);
  return lineAt(text, offset);
}

/** The line, from 1, at which a key of the top object stands; 1 when it is not found. */
export function keyLine(text: string, key: string): number {
  const offset = text.indexOf(`${JSON.stringify(key)}`);
  return offset < 0 ? 1 : lineAt(text, offset);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
