/** Taking `ssblog log` apart again: what stands behind the time and the labels. */
import assert from 'node:assert/strict';

export interface Labels {
  readonly source: string;
  readonly destination?: string;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/**
 * The text column of a log in which every line has these labels, byte for byte, one line feed behind each line.
 * @throws when a line does not begin as the contract says
 */
export function textColumn(log: Buffer, labels: Labels): Buffer {
  const destination = labels.destination === undefined ? '' : `-> \\[${escapeRegExp(labels.destination)}\\] `;
  const prefix = new RegExp(
    `^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\[${escapeRegExp(labels.source)}\\] ${destination}`,
  );
  // Latin-1 keeps every byte as one character.
  const lines = log.toString('latin1').split('\n');
  assert.equal(lines.pop(), '', 'the last line does not end with a line feed');
  const texts = lines.map((line, index) => {
    const match = prefix.exec(line);
    assert.ok(match, `line ${index + 1} does not begin as it should: ${line.slice(0, 100)}`);
    return line.slice(match[0].length);
  });
  return Buffer.from(texts.map((text) => `${text}\n`).join(''), 'latin1');
}

/** What `pipe` must give back: the input, with a line feed behind its last line too. */
export function asLines(input: Buffer): Buffer {
  return input.length === 0 || input.at(-1) === 0x0a ? input : Buffer.concat([input, Buffer.from('\n')]);
}

/** Like `assert.deepEqual`, but names the first line that differs instead of printing both. */
export function assertSameBytes(actual: Buffer, expected: Buffer, what: string): void {
  if (actual.equals(expected)) return;
  const got = actual.toString('latin1').split('\n');
  const want = expected.toString('latin1').split('\n');
  const index = want.findIndex((line, at) => line !== got[at]);
  const at = index < 0 ? want.length : index;
  const show = (line: string | undefined) => JSON.stringify(line?.slice(0, 200));
  assert.fail(
    `${what}: ${got.length - 1} lines instead of ${want.length - 1}; line ${at + 1} is ${show(got[at])}, not ${show(want[at])}`,
  );
}
