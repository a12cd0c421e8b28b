/** What is told, in words: other machines' texts are in it, and can do nothing there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { desktopCommand } from '../../../src/notify/channels/desktop.ts';
import type { EventName, Subject } from '../../../src/notify/condition.ts';
import { encodeHeader } from '../../../src/notify/mail-text.ts';
import { cleanLine, noticeOf, type Told } from '../../../src/notify/words.ts';

const BY = { id: '@me', name: 'laptop' };
const NOW = Date.UTC(2026, 10, 5, 12);

function told(event: EventName, subject: Partial<Subject>, tail: string[] = []): Told {
  return { event, subject: { machine: { id: '@m', name: 'nas' }, ...subject }, toldAt: null, tail };
}

function title(event: EventName, subject: Partial<Subject>): string {
  return noticeOf([told(event, subject)], { to: undefined, by: BY, now: NOW }).title;
}

const at = new Date(2026, 10, 5, 3, 0).getTime();
const TITLES: readonly [event: EventName, subject: Partial<Subject>, title: string][] = [
  ['failed', { job: 'home', exit: 3 }, 'home on nas failed with exit code 3'],
  ['failed', { job: 'home', signal: 'SIGKILL' }, 'home on nas was ended by SIGKILL'],
  ['failed', { job: 'home', reason: 'timeout', signal: 'SIGTERM' }, 'home on nas was ended by SIGTERM (timeout)'],
  ['missing', { job: 'home', due: at }, 'home on nas did not run: it was due 2026-11-05 03:00'],
  ['stuck', { job: 'home', started: at }, 'home on nas is stuck since 2026-11-05 03:00'],
  ['recovered', { job: 'home' }, 'home on nas is well again'],
  ['match', { job: 'dmesg', lines: ['I/O error'] }, 'dmesg on nas: I/O error'],
  ['match', { lines: ['I/O error'] }, 'nas: I/O error'],
  ['silent', { heardAt: at }, 'nas is silent since 2026-11-05 03:00'],
  ['heard', {}, 'nas is heard again'],
];
for (const [event, subject, wanted] of TITLES) test(wanted, () => assert.equal(title(event, subject), wanted));

test('several things are one message, with a line each', () => {
  const notice = noticeOf([told('failed', { job: 'a', exit: 1 }), told('recovered', { job: 'b' })], {
    to: 'anna',
    by: BY,
    now: NOW,
  });
  assert.equal(notice.event, 'several');
  assert.equal(notice.title, '1 thing needs a look');
  assert.equal(notice.text, '- a on nas failed with exit code 1\n- b on nas is well again');
  assert.deepEqual(
    notice.events.map(({ job }) => job),
    ['a', 'b'],
  );
});

test('whatever a line or a name holds, what is told is short and holds no control characters', () => {
  const nasty = fc.string({ unit: 'binary', maxLength: 2000, size: 'max' });
  fc.assert(
    fc.property(nasty, nasty, fc.array(nasty, { maxLength: 30 }), (job, name, tail) => {
      const subject = { job, machine: { id: '@m', name }, run: job, destination: name };
      const notice = noticeOf([told('failed', subject, tail)], { to: undefined, by: BY, now: NOW });
      assert.ok(notice.title.length < 300 && notice.text.length < 3100);
      assert.doesNotMatch(notice.title, /[\p{Cc}\p{Cs}\u2028-\u202e]/u);
      assert.doesNotMatch(notice.text.replaceAll('\n', ''), /[\p{Cc}\p{Cs}\u2028-\u202e]/u);
      assert.doesNotMatch(encodeHeader(notice.title), /\n[^ ]/);
    }),
  );
});

test('a line is cut between characters', () => {
  assert.equal(cleanLine('😀'.repeat(10), 6), '😀😀…');
  assert.equal(cleanLine('a\u001b[31mb\r\nc'), 'a [31mb c');
});

test('desktops get title and text as arguments, and no markup', () => {
  const notice = noticeOf([told('failed', { job: '--help" & do shell', exit: 1 }, ['<b>bold</b> & more'])], {
    to: undefined,
    by: BY,
    now: NOW,
  });
  const linux = desktopCommand(notice, 'linux');
  assert.deepEqual(linux.slice(0, 5), [
    'notify-send',
    '--app-name=ssblog',
    '--urgency=critical',
    '--',
    '--help" & do shell on nas failed with exit code 1',
  ]);
  assert.match(linux[5] ?? '', /&lt;b&gt;bold&lt;\/b&gt; &amp; more$/);
  const mac = desktopCommand(notice, 'darwin');
  assert.equal(mac.at(-2), notice.title);
  assert.ok(
    mac.slice(0, 7).every((part) => !part.includes('do shell')),
    'not in the script',
  );
});
