/**
 * Free TCP ports that no other test process is given at the same time: each process claims a block of them.
 * They lie below the range from which the kernel takes ports for outgoing connections.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

const FIRST_PORT = 12_000;
const BLOCK_SIZE = 100;
const BLOCKS = 200;

let block: number | undefined;
let next = 0;

/** @returns a port on which nothing listens on any address */
export async function freePort(): Promise<number> {
  block ??= claimBlock();
  for (let tries = 0; tries < BLOCK_SIZE; tries++) {
    const port = FIRST_PORT + block * BLOCK_SIZE + (next++ % BLOCK_SIZE);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port in the block of this process');
}

function claimBlock(): number {
  const claims = join(tmpdir(), `ssblog-test-ports-${userInfo().uid}`);
  mkdirSync(claims, { recursive: true });
  for (let offset = 0; offset < BLOCKS; offset++) {
    const candidate = (process.pid + offset) % BLOCKS;
    const file = join(claims, String(candidate));
    if (claim(file)) {
      process.on('exit', () => rmSync(file, { force: true }));
      return candidate;
    }
  }
  throw new Error(`all blocks of ports are claimed: see ${claims}`);
}

function claim(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (!isDead(file)) return false;
    rmSync(file, { force: true });
    return false; // The next block will do; this one is free for the next process.
  }
}

function isDead(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return false;
  } catch {
    return true;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
