/** Whatever a job or its lines are called, a mail has the headers that it should have, and no others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeHeader, mailText } from '../../../src/notify/mail-text.ts';

const AT = new Date(Date.UTC(2026, 10, 5, 3, 4, 5));

function mail(
  subject: string,
  body: string,
): { headers: Map<string, string>; names: string[]; lines: string[]; body: string } {
  const text = mailText({ to: 'anna@example.org', from: undefined, subject, body, at: AT, id: 'a-1' });
  const end = text.indexOf('\n\n');
  const lines = text.slice(0, end).split('\n');
  const unfolded = text
    .slice(0, end)
    .replace(/\n[ \t]/g, ' ')
    .split('\n');
  const headers = new Map(unfolded.map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  const decoded = Buffer.from(text.slice(end + 2).replaceAll('\n', ''), 'base64').toString('utf8');
  return {
    headers,
    names: unfolded.map((line) => line.split(':', 1)[0] ?? ''),
    lines: [...lines, ...text.slice(end + 2).split('\n')],
    body: decoded,
  };
}

/** As a mail program reads it: encoded words side by side belong together (RFC 2047, 6.2). */
function decodeHeader(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?B\?([A-Za-z0-9+/=]*)\?=/g, (_, word: string) => Buffer.from(word, 'base64').toString('utf8'));
}

const NAMES = [
  'To',
  'Subject',
  'Date',
  'Message-ID',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'Auto-Submitted',
];

test('a plain mail', () => {
  const { headers, body } = mail('home on nas failed: exit code 1', 'disk full\n');
  assert.equal(headers.get('Subject'), 'home on nas failed: exit code 1');
  assert.equal(headers.get('To'), 'anna@example.org');
  assert.equal(headers.get('Date'), 'Thu, 05 Nov 2026 03:04:05 +0000');
  assert.equal(body, 'disk full\n');
});

test('no subject and no body makes a header, a line that is too long, or the end of the mail', () => {
  const nasty = fc.string({
    unit: fc.oneof(
      fc.constantFrom(
        '\r',
        '\n',
        '\r\n',
        ' ',
        '\t',
        ':',
        '.',
        '=?',
        '?=',
        '\u0000',
        'Bcc: eve@example.org',
        '\ud800',
        'ä',
        '😀',
      ),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
    ),
  });
  fc.assert(
    fc.property(nasty, nasty, (subject, body) => {
      const made = mail(subject, body);
      assert.deepEqual(made.names, NAMES);
      // RFC 5322: 998; RFC 2047: 76 for a line with an encoded word.
      for (const line of made.lines) assert.ok(line.length <= 76 && /^[\x20-\x7e]*$/.test(line), JSON.stringify(line));
      assert.equal(
        decodeHeader(made.headers.get('Subject') ?? ''),
        subject.slice(0, 250).replace(/\p{Cs}/gu, '\ufffd'),
      );
      assert.equal(made.body, Buffer.from(body).toString('utf8'));
    }),
  );
});

test('a domain of other letters is written as servers want it', () => {
  const text = mailText({
    ...{ to: 'anna@exämple.org', from: 'Nächtlich@bücher.example', subject: 's', body: 'b', at: AT, id: 'a-1' },
  });
  assert.match(text, /^To: anna@xn--exmple-cua\.org$/m);
  assert.match(text, /^From: Nächtlich@xn--bcher-kva\.example$/m);
});

test('an encoded word never cuts a character, nor is it longer than 75', () => {
  for (const word of encodeHeader('😀'.repeat(60)).split('\n ')) {
    assert.ok(word.length <= 75, word);
    assert.doesNotMatch(decodeHeader(word), /\ufffd/);
  }
});
