/** A mail as text (RFC 5322). Whatever is told stands where it can be neither a header nor the end of the mail. Pure. */
import { domainToASCII } from 'node:url';

export interface Mail {
  /** Addresses were checked with the settings. */
  readonly to: string;
  readonly from: string | undefined;
  readonly subject: string;
  readonly body: string;
  readonly at: Date;
  /** Unique, of letters, digits and `-`. */
  readonly id: string;
}

/** What an encoded word may hold: a line with one has at most 76 characters (RFC 2047, 2), its header's name included. */
const MAX_WORD_BYTES = 39;

/** Lines of base64 (RFC 2045). */
const BODY_COLUMNS = 76;

const MAX_SUBJECT_UNITS = 250;

/** With line feeds alone, as programs on the machine expect it. */
export function mailText({ to, from, subject, body, at, id }: Mail): string {
  const headers = [
    ...(from === undefined ? [] : [`From: ${asciiDomain(from)}`]),
    `To: ${asciiDomain(to)}`,
    `Subject: ${encodeHeader(subject.slice(0, MAX_SUBJECT_UNITS))}`,
    `Date: ${at.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@ssblog.invalid>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    // Nobody's holiday notice is an answer to this (RFC 3834).
    'Auto-Submitted: auto-generated',
  ];
  const encoded = Buffer.from(body, 'utf8').toString('base64');
  const lines = encoded.match(new RegExp(`.{1,${BODY_COLUMNS}}`, 'g')) ?? [];
  return `${headers.join('\n')}\n\n${lines.join('\n')}\n`;
}

/** What servers cannot do without an extension is only another alphabet before the `@`. */
function asciiDomain(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  return at === 0 ? address : address.slice(0, at) + (domainToASCII(address.slice(at)) || address.slice(at));
}

/** Plain text as it is, everything else as encoded words, folded. */
export function encodeHeader(text: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]{0,60}[\x21-\x7e])?$/.test(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text.replace(/\p{Cs}/gu, '\ufffd')) {
    // A character must not be cut in two (RFC 2047, 5).
    if (Buffer.byteLength(word + character) > MAX_WORD_BYTES) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  if (word !== '') words.push(word);
  return words.map((part) => `=?utf-8?B?${Buffer.from(part).toString('base64')}?=`).join('\n ');
}
