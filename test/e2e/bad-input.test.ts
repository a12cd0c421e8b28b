/** Directories, files and ports that are not as they should be: told in one line, and nothing changed on disk. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { snapshot } from '../helpers/disk.ts';
import { type Machine, network } from '../helpers/machine.ts';
import { assertRefused, type Expected } from '../helpers/refusal.ts';
import type { Result } from '../helpers/running.ts';
import { SSBLOG, sandbox } from '../helpers/sandbox.ts';

/** A feed id that is well formed and belongs to nobody here. */
const SOME_ID = `@${Buffer.alloc(32, 7).toString('base64')}.ed25519`;

/** Every verb that wants a machine, with arguments that are right. */
const VERBS: readonly (readonly string[])[] = [
  ['start'],
  ['stop'],
  ['whoami'],
  ['follow', SOME_ID],
  ['unfollow', SOME_ID],
  ['machines'],
  ['connect', `net:127.0.0.1:9~shs:${Buffer.alloc(32, 7).toString('base64')}`],
  ['status'],
  ['pipe'],
  ['log'],
  ['log', '-f'],
  ['assemble', '-o', 'assembled.log'],
  ['config'],
];

/** Runs a command twice, with `--json` the second time, and finds both refused and the directory as it was. */
async function refusedWithoutTrace(
  dir: string,
  run: (...extra: string[]) => Promise<Result>,
  expected: Expected,
): Promise<void> {
  const before = snapshot(dir);
  assertRefused(await run(), expected);
  assertRefused(await run('--json'), { ...expected, json: true });
  assert.deepEqual(snapshot(dir), before, 'nothing changed on disk');
}

test('a directory that is no machine', async (t) => {
  const box = sandbox(t);
  mkdirSync(box.path('empty'));
  mkdirSync(box.path('other'));
  writeFileSync(box.path('other', 'letter.txt'), 'not a machine');
  writeFileSync(box.path('file'), 'not even a directory');
  for (const verb of VERBS) {
    await t.test(verb[0] ?? '', async () => {
      for (const name of ['missing', 'empty', 'other', 'file']) {
        const run = (...extra: string[]) => box.ssblog([...verb, '--path', box.path(name), ...extra], { input: 'x\n' });
        await refusedWithoutTrace(box.dir, run, { exitCode: 2, says: /ssblog init/ });
      }
    });
  }
});

test('init overwrites nothing', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const { box } = laptop;
  await t.test('a machine', async () => {
    const run = (...extra: string[]) => laptop.run('init', '--name', 'other', ...extra);
    await refusedWithoutTrace(box.dir, run, { exitCode: 2, says: /laptop/ });
  });
  await t.test('a file', async () => {
    writeFileSync(box.path('file'), 'precious');
    const run = (...extra: string[]) => box.ssblog(['init', '--path', box.path('file'), ...extra]);
    await refusedWithoutTrace(box.dir, run, { exitCode: 2, says: /file/ });
  });
  await t.test('an identity without a config', async () => {
    rmSync(laptop.path('config.json'));
    const run = (...extra: string[]) => laptop.run('init', ...extra);
    await refusedWithoutTrace(box.dir, run, { exitCode: 2, says: /identity|secret/ });
  });
});

test('init makes nothing when a value is wrong', async (t) => {
  const box = sandbox(t);
  for (const [flag, value, says] of [
    ['--port', '70000', /65535/],
    ['--port', 'http', /port/],
    ['--network-key', 'too-short', /32 bytes/],
    ['--hops', 'many', /hops/],
    ['--name', '', /name/],
  ] as const) {
    await t.test(`${flag} ${value}`, async () => {
      const run = (...extra: string[]) => box.ssblog(['init', '--path', box.path('new'), flag, value, ...extra]);
      await refusedWithoutTrace(box.dir, run, { exitCode: 2, says });
    });
  }
});

/** `config.json` of a machine, line by line as init wrote it, with one change. */
function editConfig(machine: Machine, edit: (text: string) => string): void {
  const file = machine.path('config.json');
  writeFileSync(file, edit(readFileSync(file, 'utf8')));
}

/** The number of the first line that holds `text`. */
function lineOf(machine: Machine, text: string): number {
  const lines = readFileSync(machine.path('config.json'), 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(text)) + 1;
}

test('a broken config.json is named with the line, and the key where there is one', async (t) => {
  const cases: readonly (readonly [string, (text: string) => string, string, RegExp])[] = [
    ['a port that is none', (text) => text.replace(/"port": \d+/, '"port": "http"'), '"port"', /port/],
    ['a port that is no number', (text) => text.replace(/"port": \d+/, '"port": true'), '"port"', /port/],
    ['a port out of range', (text) => text.replace(/"port": \d+/, '"port": 70000'), '"port"', /port/],
    [
      'a network key that is too short',
      (text) => text.replace(/"networkKey": "[^"]+"/, '"networkKey": "AAAA"'),
      '"networkKey"',
      /networkKey/,
    ],
    ['a key that is unknown', (text) => text.replace('"name"', '"nome"'), '"nome"', /nome/],
    [
      'an engine that is unknown',
      (text) => text.replace('{', '{\n  "engine": "steam",').replace(/,\s*"engine": "(sqlite|ssb-server)"/, ''),
      '"steam"',
      /engine/,
    ],
    ['a missing comma', (text) => text.replace(/("port": \d+),?/, '$1 "x"'), '"port"', /JSON/],
  ];
  for (const [what, edit, where, says] of cases) {
    await t.test(what, async (t) => {
      const [laptop] = await network(t, 'laptop');
      editConfig(laptop, edit);
      const line = lineOf(laptop, where);
      assert.ok(line > 1, 'the case itself is right');
      for (const verb of [['start'], ['whoami'], ['pipe'], ['log'], ['config']]) {
        const run = (...extra: string[]) => laptop.runWith({ input: 'x\n' }, ...verb, ...extra);
        await refusedWithoutTrace(laptop.dir, run, { exitCode: 2, says });
        assert.match((await run()).stderr, new RegExp(`config\\.json(:| line |, line )${line}\\b`), `line ${line}`);
      }
    });
  }

  for (const [what, content] of [
    ['empty', ''],
    ['cut off', '{\n  "name": "laptop",\n  "po'],
    ['a list', '[]\n'],
    ['bytes that are no text', '\0\0\0\0'],
  ] as const) {
    await t.test(what, async (t) => {
      const [laptop] = await network(t, 'laptop');
      editConfig(laptop, () => content);
      const run = (...extra: string[]) => laptop.run('start', ...extra);
      await refusedWithoutTrace(laptop.dir, run, { exitCode: 2, says: /config\.json/ });
    });
  }
});

test('a secret that is open to others, broken or missing', async (t) => {
  const cases: readonly (readonly [string, (file: string) => void, RegExp])[] = [
    ['readable for others', (file) => chmodSync(file, 0o644), /chmod 400/],
    ['readable for the group', (file) => chmodSync(file, 0o440), /chmod 400/],
    ['empty', (file) => rewrite(file, ''), /secret/],
    ['cut off', (file) => rewrite(file, readFileSync(file, 'utf8').slice(0, 200)), /secret/],
    ['with a key that does not belong to the other', (file) => rewrite(file, swapPublicKey(file)), /secret/],
    ['missing', (file) => rmSync(file), /secret/],
  ];
  for (const [what, damage, says] of cases) {
    await t.test(what, async (t) => {
      const [laptop] = await network(t, 'laptop');
      damage(laptop.path('secret'));
      for (const verb of [['start'], ['whoami'], ['pipe'], ['follow', SOME_ID]]) {
        const run = (...extra: string[]) => laptop.runWith({ input: 'x\n' }, ...verb, ...extra);
        await refusedWithoutTrace(laptop.dir, run, { exitCode: 2, says });
      }
    });
  }
});

function rewrite(file: string, content: string): void {
  chmodSync(file, 0o600);
  writeFileSync(file, content);
  chmodSync(file, 0o400);
}

function swapPublicKey(file: string): string {
  const other = Buffer.alloc(32, 9).toString('base64');
  return readFileSync(file, 'utf8').replace(/"public": "[^"]+"/, `"public": "${other}.ed25519"`);
}

function listen(t: TestContext, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    t.after(() => server.close());
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

test('a port that is in use is named, and the daemon does not start', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await listen(t, laptop.port);
  const run = (...extra: string[]) => laptop.run('start', ...extra);
  await refusedWithoutTrace(laptop.dir, run, { exitCode: 1, says: new RegExp(String(laptop.port)) });
});

test('a port that another machine has is named too', async (t) => {
  const [laptop, nas] = await network(t, 'laptop', 'nas');
  await laptop.start();
  const before = snapshot(nas.dir);
  assertRefused(await nas.run('start', '--port', String(laptop.port)), {
    exitCode: 1,
    says: new RegExp(String(laptop.port)),
  });
  assert.deepEqual(snapshot(nas.dir), before);
  assert.equal((await laptop.status()).daemon.running, true);
});

test('a second daemon on one directory is refused, and the first goes on', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  await laptop.pipe('before\n');
  const settled = () =>
    ['config.json', 'secret', 'manifest.json'].map((file) => readFileSync(laptop.path(file), 'utf8'));
  const before = settled();
  const files = laptop.files;
  assertRefused(await laptop.run('start'), { exitCode: 1, says: /running|another/ });
  assertRefused(await laptop.run('start', '--json'), { exitCode: 1, says: /running|another/, json: true });
  const otherPort = await laptop.run('start', '--port', String(laptop.port + 1));
  assertRefused(otherPort, { exitCode: 1, says: /running|another/ });
  assert.deepEqual(settled(), before);
  assert.deepEqual(laptop.files, files);
  await laptop.pipe('after\n');
  const { text } = await laptop.waitForLog(2);
  assert.match(text, /before\n.*after\n$/);
});

test('a bad id or address changes nothing while the daemon runs', async (t) => {
  const [laptop] = await network(t, 'laptop');
  await laptop.start();
  const { messages } = await laptop.status();
  for (const args of [
    ['follow', 'nonsense'],
    ['follow', '@abc.ed25519'],
    ['unfollow', 'nobody'],
    ['connect', 'nonsense'],
    ['connect', 'net:127.0.0.1:8008'],
  ]) {
    assertRefused(await laptop.run(...args), { exitCode: 2, says: /./ });
  }
  assert.equal((await laptop.status()).messages, messages);
});

test('streams that are none', async (t) => {
  const [laptop] = await network(t, 'laptop');
  const shell = (command: string) => laptop.box.run('sh', ['-c', `"${process.execPath}" "${SSBLOG}" ${command}`], {});
  const path = `--path "${laptop.dir}"`;
  await t.test('a file of which another has read the beginning', async () => {
    const file = laptop.box.path('begun');
    writeFileSync(file, 'first\nsecond\nthird\n');
    const ssblog = `"${process.execPath}" "${SSBLOG}"`;
    await laptop.box.run(
      'sh',
      ['-c', `{ read line; ${ssblog} pipe ${path}; ${ssblog} pipe ${path}; } < "${file}"`],
      {},
    );
    const { text } = await laptop.must('log');
    assert.deepEqual(text.match(/first|second|third/g), ['second', 'third']);
  });
  await t.test('a directory as input', async () => {
    assertRefused(await shell(`pipe ${path} < /`), { exitCode: 2, says: /stdin is a directory/ });
  });
  for (const verb of ['config', 'whoami', 'status', 'log']) {
    await t.test(`a full disk for the output of ${verb}`, { skip: !existsSync('/dev/full') }, async () => {
      await laptop.pipe('a line\n');
      assertRefused(await shell(`${verb} ${path} > /dev/full`), { exitCode: 1, says: /output cannot be written/ });
    });
  }
});

test('a directory among the files of the spool is no file of it', async (t) => {
  const [laptop] = await network(t, 'laptop');
  mkdirSync(laptop.path('spool', 'x-000000000.jsonl'), { recursive: true });
  assert.equal((await laptop.status()).spool.files, 0);
  await laptop.pipe('a line\n');
  await laptop.waitForLog(1);
});

test('a machine does not unfollow itself', async (t) => {
  const [laptop] = await network(t, 'laptop');
  assertRefused(await laptop.run('unfollow', laptop.id), { exitCode: 2, says: /this machine itself/ });
});
