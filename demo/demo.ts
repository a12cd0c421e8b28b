/**
 * The main job on one machine: two ssblog machines in temporary directories, a log piped into the first, the
 * combined log assembled by the second. Data goes to stdout, each step and its time to stderr.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

const SSBLOG = new URL('../bin/ssblog.js', import.meta.url).pathname;
const DEFAULT_LOG = new URL('../test/fixtures/dpkg.log', import.meta.url).pathname;

/** After this long something is wrong, and waiting on would hide it. */
const REPLICATION_DEADLINE_MS = 60_000;

interface Machine {
  readonly dir: string;
}

const daemons: ChildProcess[] = [];

async function ssblog(args: readonly string[], stdin?: string): Promise<string> {
  const child = spawn(process.execPath, [SSBLOG, ...args], { stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'inherit'] });
  if (stdin !== undefined && child.stdin) createReadStream(stdin).pipe(child.stdin);
  const [output, [code]] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), once(child, 'exit')]);
  if (code !== 0) throw new Error(`ssblog ${args.join(' ')} ended with ${code}`);
  return output;
}

async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  process.stderr.write(`${`${(performance.now() - start).toFixed(0)} ms`.padStart(9)}  ${title}\n`);
  return result;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function make(root: string, name: string, ...verb: string[]): Promise<Machine> {
  const dir = join(root, name);
  const args = [...verb, '--path', dir, '--name', name, '--host', '127.0.0.1', '--port', String(await freePort())];
  await ssblog([...args, '--quiet', '--json']);
  return { dir };
}

async function start({ dir }: Machine): Promise<void> {
  const daemon = spawn(process.execPath, [SSBLOG, 'start', '--path', dir, '--host', '127.0.0.1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  daemons.push(daemon);
  let said = '';
  for await (const line of createInterface({ input: daemon.stderr })) {
    if (line.includes('listening')) {
      daemon.stderr.resume();
      return;
    }
    said += `${line}\n`;
  }
  throw new Error(`the daemon did not start: ${said}`);
}

async function linesOn({ dir }: Machine): Promise<number> {
  return (JSON.parse(await ssblog(['status', '--path', dir, '--json'])) as { lines: number }).lines;
}

async function replicated(machine: Machine, lines: number): Promise<void> {
  const giveUpAt = Date.now() + REPLICATION_DEADLINE_MS;
  while ((await linesOn(machine)) < lines) {
    if (Date.now() > giveUpAt) throw new Error(`not all ${lines} lines arrived within ${REPLICATION_DEADLINE_MS / 1000} s`);
    await delay(20);
  }
}

const log = process.argv[2] ?? DEFAULT_LOG;
const root = await mkdtemp(join(tmpdir(), 'ssblog-demo-'));
try {
  const laptop = await step('make the machine "laptop", and a new network', () => make(root, 'laptop', 'init'));
  await step('start its daemon', () => start(laptop));
  const code = await step('print a join code', () => ssblog(['invite', '--path', laptop.dir, '--quiet']));
  const nas = await step('make the machine "nas" of that code', () => make(root, 'nas', 'join', code.trim()));
  await step('start its daemon', () => start(nas));
  const piped = await step(`pipe ${log} into laptop, with nas as its destination`, async () => {
    const args = ['pipe', '--path', laptop.dir, '--job', 'demo', '--destination', 'nas', '--json'];
    return JSON.parse(await ssblog(args, log)) as { lines: number };
  });
  await step(`let ${piped.lines} lines replicate`, () => replicated(nas, piped.lines));
  const combined = await step('assemble the combined log on nas', () => ssblog(['log', '--path', nas.dir]));
  process.stdout.write(combined);
} finally {
  for (const daemon of daemons) daemon.kill('SIGTERM');
  await Promise.all(daemons.map((daemon) => (daemon.exitCode === null ? once(daemon, 'exit') : undefined)));
  await rm(root, { recursive: true, force: true });
}
