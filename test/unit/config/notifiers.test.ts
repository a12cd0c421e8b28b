/** What notifiers may be configured to, and what is shown of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_DEFAULTS, type Config } from '../../../src/config/keys.ts';
import { maskNotifiers, parseNotifiers } from '../../../src/config/notifiers.ts';

const CONFIG: Config = { ...CONFIG_DEFAULTS, name: 'nas', networkKey: '' };

test('durations are read, names are unique, and none is nothing', () => {
  assert.deepEqual(parseNotifiers(CONFIG), []);
  const [one] = parseNotifiers({ ...CONFIG, notify: [{ name: 'a', mail: 'root', silent: '3d', repeat: '1h30m' }] });
  assert.deepEqual([one?.silent, one?.repeat], [259_200_000, 5_400_000]);
  const twice = [
    { name: 'a', desktop: true },
    { name: 'a', mail: 'root' },
  ];
  assert.throws(() => parseNotifiers({ ...CONFIG, notify: twice }), { code: 'config', message: /"name" of "a"/ });
});

const WRONG: readonly [notify: unknown, said: RegExp][] = [
  [{}, /must be a list/],
  [[7], /entry 1/],
  [[{ name: 'a\u001b', desktop: true }], /control/],
  [[{ name: 'a', desktop: true }, { desktop: true }], /"name" of entry 2/],
  [[{ name: 'a', desktop: false }], /"desktop" of "a"/],
  [[{ name: 'a', mail: 'eve@example.org, bob@example.org' }], /"mail"/],
  [[{ name: 'a', mail: 'root', from: 'x\r\nBcc: y' }], /"from"/],
  [[{ name: 'a', ntfy: 'https://ntfy.sh/' }], /"ntfy" of "a" must be the URL of a topic/],
  [[{ name: 'a', ntfy: 'file:///etc/passwd' }], /"ntfy"/],
  [[{ name: 'a', webhook: 'http://x', headers: { 'a b': 'c' } }], /"headers"/],
  [[{ name: 'a', webhook: 'http://x', headers: { a: 'c\r\nd: e' } }], /"headers"/],
  [[{ name: 'a', webhook: 'http://x', token: 'secret' }], /"token" of "a" belongs to "ntfy"/],
  [[{ name: 'a', command: [] }], /"command"/],
  [[{ name: 'a', desktop: true, on: ['broken'] }], /"on" of "a" must be a list of: failed/],
  [[{ name: 'a', desktop: true, repeat: '0s' }], /"repeat" of "a" must be a duration/],
  [[{ name: 'a', desktop: true, quiet: '7-22' }], /"quiet"/],
];
for (const [notify, said] of WRONG)
  test(`refused: ${JSON.stringify(notify)}`, () =>
    assert.throws(() => parseNotifiers({ ...CONFIG, notify }), { code: 'config', message: said }));

test('nothing that may be a secret is shown', () => {
  const notify = [
    { name: 'hook', webhook: 'https://u:secret@example.org/secret?key=secret', headers: { 'X-Key': 'secret' } },
    { name: 'phone', ntfy: 'https://ntfy.sh/secret', token: 'secret' },
    { name: 'script', command: ['/usr/bin/curl', 'secret'] },
    { name: 'wrong', webhook: 'secret' },
    'secret',
  ];
  const shown = JSON.stringify(maskNotifiers(notify));
  assert.doesNotMatch(shown, /secret/);
  for (const part of ['https://example.org/', '/usr/bin/curl', 'X-Key', 'phone']) assert.ok(shown.includes(part), part);
  assert.equal(maskNotifiers('secret'), '********');
});
