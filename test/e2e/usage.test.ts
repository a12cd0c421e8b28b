import assert from 'node:assert/strict';
import { test } from 'node:test';
import { network } from '../helpers/machine.ts';
import { assertRefused } from '../helpers/refusal.ts';
import { sandbox } from '../helpers/sandbox.ts';

test('a mistyped verb or flag is answered with the one that was meant', async (t) => {
  const box = sandbox(t);
  const table: readonly (readonly [readonly string[], RegExp])[] = [
    [['statsu'], /\bstatus\b/],
    [['folow', '@x'], /\bfollow\b/],
    [['asemble', '-o', 'x'], /\bassemble\b/],
    [['whomai'], /\bwhoami\b/],
    [['log', '--sorce', 'x'], /--source\b/],
    [['pipe', '--destinaton', 'x'], /--destination\b/],
    [['init', '--netwrk-key', 'x'], /--network-key\b/],
    [['--pth', '/tmp', 'whoami'], /--path\b/],
  ];
  for (const [args, suggestion] of table) {
    await t.test(args.join(' '), async () => {
      assertRefused(await box.ssblog(args), { exitCode: 2, says: suggestion });
      assertRefused(await box.ssblog([...args, '--json']), { exitCode: 2, says: suggestion, json: true });
    });
  }
});

test('an argument that is wrong is named with what would be right', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const table: readonly (readonly [readonly string[], RegExp])[] = [
    [['follow'], /id/i],
    [['follow', 'nonsense'], /nonsense/],
    [['follow', '@abc.ed25519'], /@abc\.ed25519/],
    [['follow', `@${'A'.repeat(43)}=.ed25519x`], /ed25519/],
    [['unfollow', 'nobody'], /nobody/],
    [['connect', 'nonsense'], /net:/],
    [['connect', 'net:127.0.0.1:99999~shs:AAAA'], /net:/],
    [['connect'], /address/i],
    [['connect', laptop.address], /itself|own/],
    [['whoami', 'superfluous'], /argument/i],
    [['log', '--level', 'loud'], /warning/],
    [['pipe', '--level', 'loud'], /warning/],
    [['log', '--since', 'the day before'], /--since|since/],
    [['log', '--until', '2026-13-45'], /--until|until/],
    [['log', '--grep', '['], /--grep|expression/],
    [['log', '-n', 'many'], /number/i],
    [['log', '-n', '-1'], /number/i],
    [['log', '--output', 'yaml'], /csv/],
    [['log', '--machine', 'nobody'], /nobody/],
    [['log', '--source'], /--source/],
    [['assemble'], /-o|--output|--by-day/],
    [['pipe', '--source', ''], /source/],
    [['config', '--port', 'http'], /port/],
    [['config', '--port', '70000'], /65535/],
    [['config', '--hops', '0'], /hops/],
    [['start', '--network-key', 'c2hvcnQ='], /32 bytes/],
  ];
  for (const [args, says] of table) {
    await t.test(args.join(' '), async () => {
      assertRefused(await laptop.run(...args), { exitCode: 2, says });
      assertRefused(await laptop.run(...args, '--json'), { exitCode: 2, says, json: true });
    });
  }
});

test('ssblog alone says what it wants', async (t) => {
  const { code, text, stderr } = await sandbox(t).ssblog([]);
  assert.ok(code === 0 || code === 2);
  assert.match(`${text}${stderr}`, /verb|Usage/);
});

test('what a file system refuses is a failure at run time', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.pipe('x\n');
  const result = await laptop.run('assemble', '-o', '/dev/null/no/such/file');
  assertRefused(result, { exitCode: 1, says: /\/dev\/null\/no\/such\/file/ });
});

test('a command that needs a daemon says how to start one', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const result = await laptop.run('stop');
  if (result.code !== 0) assertRefused(result, { exitCode: 1, says: /daemon|start/ });
});
