import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import ssbKeys from 'ssb-keys';
import type { Identity } from '../../../../src/config/identity.ts';
import {
  type Announcement,
  checkShutOut,
  isLater,
  openAnnouncement,
  sealAnnouncement,
} from '../../../../src/peer/rekey/announcement.ts';

const { generate } = ssbKeys as unknown as { generate(): Identity };

const NOW = 1_795_000_000_000;
const MESSAGE_UNITS = 8_192;

function announcement(changes: Partial<Announcement> = {}): Announcement {
  const key = randomBytes(32).toString('base64');
  return { type: 'ssblog-rekey', key, at: NOW, until: NOW + 1, origin: generate().id, shutOut: [], ...changes };
}

test('each recipient can open one of the messages, others and the sender none', () => {
  const recipients = Array.from({ length: 16 }, () => generate());
  const said = announcement();
  const contents = sealAnnouncement(
    said,
    recipients.map(({ id }) => id),
  );
  assert.equal(contents.length, 3);
  for (const recipient of recipients) {
    const opened = contents.flatMap((content) => openAnnouncement(content, recipient) ?? []);
    assert.deepEqual(opened, [said]);
  }
  const stranger = generate();
  for (const content of contents) {
    assert.equal(openAnnouncement(content, stranger), undefined);
    assert.ok(!content.includes(said.key));
  }
  assert.deepEqual(sealAnnouncement(said, []), []);
});

test('the largest announcement fits into a message', () => {
  const many = Array.from({ length: 64 }, () => `@${randomBytes(32).toString('base64')}.ed25519`);
  const recipients = Array.from({ length: 7 }, () => generate().id);
  const [content = ''] = sealAnnouncement(announcement({ shutOut: checkShutOut([...many, ...many]) }), recipients);
  assert.ok(content.length + 700 < MESSAGE_UNITS, String(content.length));
  assert.throws(() => checkShutOut([...many, generate().id]), /65 machines are to be shut out/);
});

test('what is no announcement is none, however it is wrapped', () => {
  const me = generate();
  const wrapped = (content: unknown) => ssbKeys.box(content as object, [me.id]);
  const said = announcement();
  assert.deepEqual(openAnnouncement(wrapped(said), me), said);
  for (const content of [
    undefined,
    { type: 'ssblog-rekey' },
    '.box',
    'AAAA.box',
    `${'A'.repeat(8_000)}.box`,
    wrapped({ ...said, key: 'short' }),
    wrapped({ ...said, at: -1 }),
    wrapped({ ...said, at: '1' }),
    wrapped({ ...said, origin: 'me' }),
    wrapped({ ...said, type: 'post' }),
    wrapped({ ...said, shutOut: Array(65).fill(me.id) }),
    wrapped('text' as never),
    wrapped(null as never),
  ]) {
    assert.equal(openAnnouncement(content, me), undefined);
  }
});

test('of two announcements the later counts, and of two of one time that of the higher id', () => {
  const one = { at: NOW, origin: '@a' };
  assert.equal(isLater({ at: NOW + 1, origin: '@a' }, one), true);
  assert.equal(isLater({ at: NOW - 1, origin: '@z' }, one), false);
  assert.equal(isLater({ at: NOW, origin: '@b' }, one), true);
  assert.equal(isLater(one, one), false);
});
