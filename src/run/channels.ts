/**
 * The two channels through which a command's output comes. Node would give it sockets, and a script that writes to
 * /dev/stderr or /dev/stdout cannot open those: hence named pipes, which lose their names at once.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface Channel {
  /** Our end. */
  readonly reader: Readable;
  /** The descriptor that the command gets; closed by `closeWriter` when it has it. */
  readonly writer: number;
}

/** @returns undefined where there are no named pipes, or no room for them: sockets must do */
export function openChannels(count: number): Channel[] | undefined {
  // Elsewhere /dev/stderr is a copy of the descriptor, whatever it is.
  if (process.platform !== 'linux') return undefined;
  const fds: number[] = [];
  let dir: string | undefined;
  try {
    dir = mkdtempSync(join(tmpdir(), 'ssblog-run-'));
    const paths = Array.from({ length: count }, (_, index) => join(dir as string, String(index)));
    const { status } = spawnSync('mkfifo', ['-m', '600', ...paths], { stdio: 'ignore' });
    if (status !== 0) return undefined;
    const pairs = paths.map((path) => {
      // The reader first: a writer would wait for it.
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      fds.push(reader);
      const writer = openSync(path, constants.O_WRONLY);
      fds.push(writer);
      return { reader, writer };
    });
    return pairs.map(({ reader, writer }) => ({
      reader: new Socket({ fd: reader, readable: true, writable: false }),
      writer,
    }));
  } catch {
    // A full disk, no temporary directory: the command must start all the same.
    for (const fd of fds) closeSync(fd);
    return undefined;
  } finally {
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  }
}
